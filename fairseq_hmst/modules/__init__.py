"""Building blocks of the models: encoder layers, CTC heads, prediction network and joiner."""
