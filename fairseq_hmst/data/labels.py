"""Labels of CTC and transducer heads that are no pieces of text: the blank, and on transcripts all else."""

BLANK_INDEX = 0  # fairseq's <s> in the output dictionary, which no label sequence contains
# Of a CTC head on the transcript alone, whose labels are not those of a dictionary: blank, all that is no piece of
# source text, and then the pieces.
OTHER_LABEL = 1
FIRST_PIECE_LABEL = 2
BLANK_SYMBOL, OTHER_SYMBOL = "<blank>", "<other>"  # names of the first two
