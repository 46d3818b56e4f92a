"""Losses as functions of tensors: torch only, no fairseq, no model. Import them from their modules."""
