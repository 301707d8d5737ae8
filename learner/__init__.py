"""From samples to outcomes: predict, score, then learn."""
