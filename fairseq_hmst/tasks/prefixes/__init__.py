"""Training on prefixes: where a trained model says that sentences can be cut."""
