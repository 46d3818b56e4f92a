"""Decoders: CTC, transducer and joint searches, and the hypothesis they return."""
