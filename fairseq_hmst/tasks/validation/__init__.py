"""Decoding in validation: scores of translations, samples, and the metric of the best checkpoint."""
