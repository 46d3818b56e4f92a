"""Reading of files: why one cannot be read, its lines, the rows of a table, and characters that need escaping."""
