"""How often the host waits for a GPU in an update and in a validation, and what it sends there."""

import re

import pytest
from device_training import FAMILIES, ROWS
from fairseq import utils
from second_device import DEVICE, second_device
from toy import REPOSITORY, batch_of

from fairseq_hmst.tasks.validation.decoded_validation import DecodedValidation

FETCH = "tasks/fetching.py of fetch_numbers"
LOSS_OF_VALIDATION = "tasks/decoding/finite_results.py of validating"
WORD_ERRORS = "criterions/word_errors.py of count_word_errors"
# fairseq's own in an update: the norm of gradients, twice; their overflow
FAIRSEQ_WAITS = {None: 2, "bf16": 2, "fp16": 5, "amp": 4}


def of_this_package(counts):
    """Counts by file and function."""
    found = {}
    for place, number in counts.items():
        file, _, function = place.partition(" of ")
        if file.startswith("fairseq_hmst/"):
            name = f"{file.removeprefix('fairseq_hmst/').rpartition(':')[0]} of {function}"
            found[name] = found.get(name, 0) + number
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_an_update_waits_once_for_all_that_is_logged(steps_on_device, family):
    waits = {FETCH: 1}
    if family == "hmst_transducer":
        waits |= {"losses/rnnt_joiner.py of backward": 1}
    for precision in (None, FAMILIES[family]):
        update = steps_on_device(family, precision)[1]
        loss_scale = {"training/optimizers.py of step": 1} if precision == "amp" else {}  # torch's own asks
        expected = waits | loss_scale
        assert of_this_package(update.waits) == expected
        assert update.waits.total() == FAIRSEQ_WAITS[precision] + len(expected)
        assert of_this_package(update.uploads) == {}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_validation_waits_for_its_loss_for_words_and_for_what_is_logged(steps_on_device, family):
    waits = {FETCH: 1, LOSS_OF_VALIDATION: 1, WORD_ERRORS: 1}
    for precision in (None, FAMILIES[family]):
        validation = steps_on_device(family, precision)[2]
        assert of_this_package(validation.waits) == waits
        assert validation.waits.total() == len(waits)
        assert of_this_package(validation.uploads) == {}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_table_of_waits_is_what_is_counted(steps_on_device, family):
    text = (REPOSITORY / "docs" / "measurements.md").read_text(encoding="utf-8")
    section = text[text.index("## Waits for a GPU") :]
    row = re.search(rf"^\| `{family}` \|(.*)\|$", section, re.MULTILINE)
    update = steps_on_device(family)[1]
    expected = [
        number
        for counts in (update.waits, update.uploads)
        for number in (counts.total(), sum(of_this_package(counts).values()))
    ]
    _, *waits, _, uploads, uploads_of_package = (int(cell) for cell in row[1].split("|"))
    assert [*waits, uploads, uploads_of_package] == expected


def test_scores_of_translations_that_were_fetched_wait_for_nothing(toy_task, monkeypatch):
    validation = DecodedValidation(toy_task, generator=None, board=None)
    batch = batch_of(toy_task, ROWS["valid"])
    rows = [target[target != 1][:-1] for target in batch["target"]]
    monkeypatch.setattr(toy_task, "decode", lambda *_: [[{"tokens": row}] for row in rows])
    expected = validation.statistics(batch, model=None)
    with second_device() as gpu:
        on_device = utils.move_to_cuda(batch, device=DEVICE)
        gpu.reset()
        assert validation.statistics(on_device, model=None) == expected
        assert not gpu.waits and not gpu.uploads
