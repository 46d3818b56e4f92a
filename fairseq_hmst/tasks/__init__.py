"""The fairseq task."""
