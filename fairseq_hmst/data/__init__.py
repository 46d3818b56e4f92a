"""Reading a data-bin: its card, its streams of examples, and their batches."""
