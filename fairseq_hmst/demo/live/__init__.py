"""The tab Live: what the browser's microphone hears, translated while somebody speaks."""
