"""Frames to units: a sample of frames, k-means, and the nearest centroid."""
