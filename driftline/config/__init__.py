"""The settings file: written, explained and described."""
