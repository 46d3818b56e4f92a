"""How releases are laid out, and how those of Debian packages are fetched and spoken."""
