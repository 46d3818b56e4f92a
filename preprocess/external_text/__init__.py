"""More text for text translation: reading, filtering and drawing."""
