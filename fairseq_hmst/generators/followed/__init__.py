"""Options of fairseq's generation group: which search follows which, and the check that no other is given."""
