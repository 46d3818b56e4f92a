"""The values of --decoding: one a kind of head."""

DECODINGS = ("attention", "ctc", "transducer", "joint")
DEFAULT_CTC_DECODE_WEIGHT = 0.3  # of the CTC prefix score in joint decoding
