"""Models: what they are to a learner, how they are named, and one file for each dialect."""
