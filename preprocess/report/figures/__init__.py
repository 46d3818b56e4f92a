"""Measurements of a data-bin, typed; their fields are the keys of report.json."""
