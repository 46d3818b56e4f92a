"""The ends of a training, each by itself."""

from types import SimpleNamespace

import pytest

from fairseq_hmst.checkpoints import finished
from fairseq_hmst.checkpoints.finished import finished_by, patience_state, restore_patience

ENDLESS = {"max_update": 0, "max_epoch": 0, "stop_min_lr": -1.0, "stop_time_hours": 0.0}


def end_of(updates: int = 100, next_epoch: int = 3, rate: float = 0.01, hours: float = 2.0, **options: float):
    """The end of a training that has come so far, with these options."""
    cfg = SimpleNamespace(
        optimization=SimpleNamespace(**ENDLESS | {key: value for key, value in options.items() if key in ENDLESS}),
        checkpoint=SimpleNamespace(patience=options.get("patience", -1)),
    )
    trainer = SimpleNamespace(
        cfg=cfg,
        get_num_updates=lambda: updates,
        get_lr=lambda: rate,
        cumulative_training_time=lambda: hours * 3600,
    )
    return finished_by(trainer, SimpleNamespace(next_epoch_idx=next_epoch))


@pytest.mark.parametrize(
    ("option", "reached", "ahead"),
    [
        ("max_update", 100, 101),
        ("max_epoch", 2, 3),
        ("stop_min_lr", 0.01, 0.009),
        ("stop_time_hours", 1.5, 2.5),
    ],
)
def test_a_training_is_finished_by_any_of_its_ends(option: str, reached: float, ahead: float):
    assert end_of(**{option: reached}) == f"--{option.replace('_', '-')} {reached:g}"
    assert end_of(**{option: ahead}) is None
    assert end_of(updates=0, **{option: reached}) is None  # it starts from weights alone
    assert end_of() is None


def test_patience_counts_what_a_checkpoint_has_kept(monkeypatch: pytest.MonkeyPatch):
    program = SimpleNamespace(should_stop_early=lambda: None)
    monkeypatch.setattr(finished, "_training_program", lambda: program)
    assert patience_state() == {}
    assert end_of(patience=2) is None
    restore_patience({"best": 1.5, "num_runs": 2})
    assert patience_state() == {"best": 1.5, "num_runs": 2}
    assert end_of(patience=2) == "--patience 2"
    assert end_of(patience=3) is None
