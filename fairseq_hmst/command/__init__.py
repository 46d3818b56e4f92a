"""The command `hmst`: its table of subcommands, each imported when it is called."""
