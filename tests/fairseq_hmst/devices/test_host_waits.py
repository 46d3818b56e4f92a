"""How often the host waits for a GPU in an update and in a validation, and what it sends there."""

import re

import pytest
import torch
from device_training import FAMILIES, ROWS
from second_device import DEVICE, second_device
from toy import REPOSITORY, batch_of

from fairseq_hmst.tasks.fetching import fetch_tokens
from fairseq_hmst.tasks.validation.decoded_validation import DecodedValidation

FETCH = "tasks/fetching.py of fetch_numbers"
LOSS_OF_VALIDATION = "tasks/finite_results.py of validating"
WORD_ERRORS = "criterions/word_errors.py of count_word_errors"
# fairseq's own in an update: the norm of gradients, twice; their overflow
FAIRSEQ_WAITS = {None: 2, "bf16": 2, "fp16": 5, "amp": 5}


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
        assert of_this_package(update.waits) == waits
        assert update.waits.total() == FAIRSEQ_WAITS[precision] + len(waits)
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


def test_scores_of_translations_wait_once_for_all_of_them(toy_task, monkeypatch):
    validation = DecodedValidation(toy_task, generator=None, board=None)
    batch = batch_of(toy_task, ROWS["valid"])
    rows = [target[target != 1][:-1] for target in batch["target"]]

    def decode_to(device):
        found = [[{"tokens": row.to(device)}] for row in rows]
        monkeypatch.setattr(toy_task, "decode", lambda *_: found)

    decode_to("cpu")
    expected = validation.statistics(batch, model=None)
    with second_device() as gpu:
        decode_to(DEVICE)
        gpu.reset()
        assert validation.statistics(batch, model=None) == expected
        assert gpu.waits.total() == 1
        assert not gpu.uploads


def test_tokens_are_fetched_in_their_order_wherever_they_are():
    rows = [torch.tensor([1, 2, 3]), torch.tensor([], dtype=torch.int64), torch.tensor([4])]
    with second_device() as gpu:
        mixed = [rows[0].to(DEVICE), rows[1], rows[2].to(DEVICE)]
        found = fetch_tokens(mixed)
        assert gpu.waits.total() == 1
    assert [row.tolist() for row in found] == [[1, 2, 3], [], [4]]
