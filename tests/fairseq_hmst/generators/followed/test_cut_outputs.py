"""What a log tells of outputs that were cut."""

import logging

from fairseq_hmst.generators.followed.cut_outputs import CutCounter
from fairseq_hmst.generators.followed.table import ATTENTION, CTC


def test_a_log_names_outputs_that_are_as_long_as_they_may_be(decoders, caplog):
    ids = decoders[ATTENTION].batch["id"].tolist()
    with caplog.at_level(logging.WARNING), CutCounter() as cut:
        decoders[ATTENTION].decode(max_len_b=2)
        decoders[CTC].decode()
    assert cut.count == 2
    messages = [record.getMessage() for record in caplog.records if "limit of length" in record.getMessage()]
    names = ", ".join(f"H-{number}" for number in ids)
    assert messages == [
        f"2 of 2 outputs ({names}) reached the limit of length, 2 tokens, and may be cut; "
        "--max-len-a and --max-len-b set it"
    ]


def test_training_and_translating_tell_in_ways_of_their_own(decoders, caplog):
    decoder = decoders[ATTENTION]
    results = decoder.task.decode(decoder.generator(max_len_b=2), [decoder.model], decoder.batch)
    assert all(best["is_cut"] for best, *_ in results)
    assert not [record for record in caplog.records if "limit of length" in record.getMessage()]
