"""Families of text models: what tells the models of each from those of others, one file a family."""
