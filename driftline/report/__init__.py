"""What a stream has come to: a page, a picture or a table of its curve."""
