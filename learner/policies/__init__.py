"""What to do about a drift, one file a policy."""
