"""What makes the encoders of transformers fast without changing what they compute."""
