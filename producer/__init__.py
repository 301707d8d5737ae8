"""From a source of labelled samples to the stream."""
