"""Units and their pieces of a segment whose samples are still coming."""
