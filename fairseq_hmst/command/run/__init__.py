"""The subcommand `run`: the whole road of a recipe, from a corpus to scores and a model folder."""
