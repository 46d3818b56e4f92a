"""WAV and its kin: the samples stand in one run behind a header that says how many there are, or says it wrongly."""
