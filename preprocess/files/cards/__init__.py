"""The cards that lie beside outputs: their common form, and the form of each stage's."""
