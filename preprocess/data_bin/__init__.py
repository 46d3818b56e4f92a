"""Examples to a data-bin and back: streams of token ids, and the card that describes them."""
