"""The subcommand `train`: fairseq-train in a process of its own, shown so that one can read it."""
