"""Searches of a transducer: greedy and beam, and the scores that they ask for."""
