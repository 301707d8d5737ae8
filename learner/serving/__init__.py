"""Asking a learner that runs: over HTTP, on a port of its own, without changing it."""
