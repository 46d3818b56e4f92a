"""The blank of CTC and transducer heads, which is also the start label of prediction networks."""

BLANK_INDEX = 0  # fairseq's <s> in the output dictionary, which no label sequence contains
