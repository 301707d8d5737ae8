"""The doctor: looks at everything a stream needs, step by step, and touches nothing."""
