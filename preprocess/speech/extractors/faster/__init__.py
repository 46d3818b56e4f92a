"""Faster parts for the encoders of transformers, which compute the same."""
