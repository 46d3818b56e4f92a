"""Layouts of releases, and the fetching and speaking of those from Debian packages."""
