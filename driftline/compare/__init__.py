"""Models and policies side by side, over the same records."""
