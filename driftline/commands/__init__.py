"""The commands, one file each; whatever is heavy is imported when one runs."""
