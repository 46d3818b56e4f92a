"""`hmst check RECIPE.yaml`: options of training, decoding and export."""

import re

import pytest
from checked_recipes import WHOLE, Found


@pytest.mark.parametrize(
    "options",
    [
        "bleu-tokenizer: 13a",  # of --eval-bleu, which the road gives
        "criterion: label_smoothed_cross_entropy",
        "rdrop-weight: 1, speech-mask-share: 0.1",
        "sample-pieces: 'units,source', source-ctc-layer: 1, streams: st",
        "criterion: cross_entropy",
        "join-share: 0",
    ],
)
def test_options_that_fit_each_other_are_no_faults(faults: Found, options: str):
    assert faults(WHOLE.replace("max-update: 2", f"max-update: 2, {options}")) == []


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("beam: 2", "stream: [xx]", "recipe.yaml:14: stream must be one of st, mt, got xx"),
        ("beam: 2", "split: tset", "recipe.yaml:14: decode: there is no split tset; there are train, valid, test"),
        ("beam: 2", "gen-subset: valid", "recipe.yaml:14: decode gets its gen-subset from the road"),
        ("beam: 2", "checkpoint: [best]", "recipe.yaml:14: checkpoint must be one value"),
        ("lenpen: 1.5", "out: model", "recipe.yaml:15: export gets its out from the road"),
        ("lenpen: 1.5", "average: true", "recipe.yaml:15: export gets its average from the road"),
        ("lenpen: 1.5", "lenpe: 1.5", "recipe.yaml:15: export has no option 'lenpe'; did you mean 'lenpen'?"),
        ("lenpen: 1.5", "scores: no.json", "recipe.yaml:15: export: scores does not exist: no.json"),
        ("lenpen: 1.5", "help: true", "recipe.yaml:15: export has no option 'help'"),
        (
            "max-update: 2",
            "max-update: 2, cpu: yes",
            "recipe.yaml:13: train: cpu cannot be given yes; write",
        ),
        (
            "max-update: 2",
            "max-update: 2, sample-pieces: 'units, text'",
            "recipe.yaml:13: train: sample-pieces must name some of units, source, target, each once",
        ),
        ("max-update: 2", "max-update: 2, join-share: 2", "recipe.yaml:13: train: join-share must lie in [0, 1), got"),
        ("max-update: 2", "max-update: 2, streams: 'st,text'", "recipe.yaml:13: train: streams must be st,mt or st or"),
        ("max-update: 2", "max-update: 2, mt-passes: -1", "recipe.yaml:13: train: mt-passes must be 0 or more and fi"),
        ("max-update: 2", "max-update: 2, rdrop-weight: -1", "recipe.yaml:13: train: rdrop-weight must be 0 or more"),
        (
            "max-update: 2",
            "max-update: 2, streams: mt, consistency-weight: 1",
            "recipe.yaml:13: train: consistency-weight compares speech with its transcript, and --streams is mt; add",
        ),
        (
            "max-update: 2",
            "max-update: 2, criterion: joint",
            "recipe.yaml:13: criterion must be one of adaptive_loss",
        ),
        (
            "max-update: 2",
            "max-update: 2, criterion: cross_entropy, rdrop-weight: 1",
            "recipe.yaml:13: train has no option 'rdrop-weight'",
        ),
        (
            "max-update: 2",
            "max-update: 2, rdrop-weight: 1, rdrop-ctc-weight: 1",
            "recipe.yaml:13: train: rdrop-ctc-weight 1.0 has no effect: no head that it compares has a loss",
        ),
        (
            "max-update: 2",
            "max-update: 2, criterion: cross_entropy, source-ctc-layer: 1",
            "recipe.yaml:13: train: criterion cross_entropy trains an attention decoder alone, but the model has: sour",
        ),
        (
            "arch: hmst_aed_tiny",
            "rdrop-weight: 1, arch: hmst_transducer_tiny",
            "recipe.yaml:13: train: rdrop-weight compares all that a head predicts, which a transducer never builds",
        ),
        ("max-update: 2", "max-update: 2, ctc-weight: 1", "recipe.yaml:13: train: --ctc-weight given, but the model"),
        (
            "max-update: 2",
            "max-update: 2, sample-pieces: source, streams: st",
            "recipe.yaml:13: train: sample-pieces source has no effect: there is no text, and no head learns transcri",
        ),
        (
            "max-update: 2",
            "max-update: 2, streams: mt, repeat-jitter: normal",
            "recipe.yaml:13: train: repeat-jitter normal measures speech, and the training has none",
        ),
        (
            "max-update: 2",
            "max-update: 2, join-share: 0.1",
            "recipe.yaml:13: train: join-share joins rows of one speaker, but no speaker of train has two sentences; f",
        ),
        ("max-update: 2", "max-update: 2, mask-form: drop", "recipe.yaml:13: train: mask-form drop has no effect"),
        ("max-update: 2", "max-update: 2, init-from: no.pt", "recipe.yaml:13: train: init-from does not exist: no.pt"),
        ("hmst_aed_tiny", "transformer", "recipe.yaml:13: arch must be one of hmst_aed, hmst_aed_base, hmst_aed_tiny"),
        ("max-update: 2", "max-update: 2, save-dir: [a, b]", "recipe.yaml:13: save-dir must be one value"),
    ],
)
def test_one_fault_is_one_line_with_its_place(faults: Found, before: str, after: str, message: str):
    assert before in WHOLE
    (fault,) = faults(WHOLE.replace(before, after))
    assert fault.startswith(message)


def test_text_that_is_not_repeated_has_no_jitter(faults: Found):
    recipe = WHOLE.replace("max-update: 2", "max-update: 2, repeat-jitter: fixed")
    assert faults(recipe) == []
    (fault,) = faults(recipe.replace("repeat: 2", "repeat: 1"))
    message = "recipe.yaml:13: train: repeat-jitter fixed needs text that is repeated: repeat of .*recipe.yaml:10 is 1"
    assert re.match(message, fault)


def test_other_options_are_judged_only_with_an_architecture(faults: Found):
    (fault,) = faults(WHOLE.replace("arch: hmst_aed_tiny,", "embed-dim: 16, keep-best-checkpoints: many,"))
    assert "train has no arch" in fault
