"""What flows, and how it is carried."""
