"""Units and sentences to pieces, and pieces to ids of the dictionaries."""
