"""The subcommand `check`: faults of a recipe or a folder, all at once, before work begins."""
