"""Where samples come from: one small file a kind, and `table`, which knows them all."""
