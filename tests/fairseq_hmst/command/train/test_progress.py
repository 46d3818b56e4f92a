"""A training followed line by line: time left, the best checkpoint, and a training that is resumed."""

import pytest

from fairseq_hmst.command.train.fairseq_options import read_fairseq_options
from fairseq_hmst.command.train.log_lines import LoadedCheckpoint, SavedCheckpoint, Update, Validation, read_line
from fairseq_hmst.command.train.progress import TrainingProgress

TIME = "2026-01-02 03:04:05 | INFO | "
START = (
    f'{TIME}hmst_start | {{"data_bin": "d", "data": "?", "examples": {{}}, "model": "M", "parameters": 1, '
    '"trained_parameters": 1, "device": "cpu", "processes": 1, "precision": "float32", "batches": 8}'
)


def update_line(num_updates, epochs=0.5):
    return f'{TIME}train_inner | {{"epoch": 1, "update": {epochs}, "loss": "2.5", "num_updates": "{num_updates}"}}'


def valid_line(num_updates, loss):
    return f'{TIME}valid | {{"epoch": 1, "valid_loss": "{loss}", "valid_num_updates": "{num_updates}"}}'


def saved_line(save_dir, num_updates):
    path = save_dir / f"checkpoint_{num_updates}.pt"
    return f"{TIME}fairseq.checkpoint_utils | Saved checkpoint {path} (epoch 1 @ {num_updates} updates, score 1) (wr"


def loaded_line(path, num_updates):
    return f"{TIME}fairseq.trainer | Loaded checkpoint {path} (epoch 2 @ {num_updates} updates)"


def follow(progress, lines):
    for line in lines:
        progress.follow(read_line(line))


def progress_of(save_dir, *options, clock=lambda: 0.0):
    return TrainingProgress(read_fairseq_options(["data", "--save-dir", str(save_dir), *options]), clock)


def test_lines_of_the_log_are_read_as_events(tmp_path):
    assert read_line(update_line(5)) == Update(5, 0.5, {"epoch": 1.0, "loss": 2.5})
    assert read_line(valid_line(8, 3.5)) == Validation("valid", 8, {"loss": 3.5})
    assert read_line(saved_line(tmp_path, 8)) == SavedCheckpoint(tmp_path / "checkpoint_8.pt", 8)
    assert read_line(loaded_line(tmp_path / "a.pt", 8)) == LoadedCheckpoint(tmp_path / "a.pt", 8)
    assert read_line(START).batches == 8
    for line in (
        "  (encoder): UnitEncoder(",
        f"{TIME}fairseq_cli.train | {{'_name': None}}",
        f'{TIME}train | {{"epoch": 1, "train_loss": "4.7", "train_num_updates": "8"}}',
        f"{TIME}fairseq.trainer | begin training epoch 1",
    ):
        assert read_line(line) is None


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--max-update", "100"], 40),
        (["--max-epoch", "4"], 30),
        (["--max-update", "100", "--max-epoch", "4"], 30),
        ([], None),
    ],
)
def test_time_left_goes_by_what_ends_the_training_first(tmp_path, options, left):
    now = iter([1000.0, 1010.0])
    progress = progress_of(tmp_path, *options, clock=lambda: next(now))
    follow(progress, [update_line(40, epochs=2.0)])
    assert progress.seconds_left is None
    follow(progress, [update_line(52, epochs=2.5)])
    assert progress.seconds_left == (left if left is None else pytest.approx(left))


@pytest.mark.parametrize(("options", "expected"), [((), 8), (("--maximize-best-checkpoint-metric",), 16)])
def test_the_best_checkpoint_is_among_those_that_were_saved(tmp_path, options, expected):
    progress = progress_of(tmp_path, *options)
    scores = {8: 3.0, 10: 1.0, 12: 9.0, 16: 4.0}
    for num_updates, loss in scores.items():
        follow(progress, [valid_line(num_updates, loss)])
        if num_updates in (8, 16):
            follow(progress, [saved_line(tmp_path, num_updates)])
    assert progress.best.path == tmp_path / f"checkpoint_{expected}.pt"
    (tmp_path / "checkpoint_best.pt").touch()
    assert progress.best.path == tmp_path / "checkpoint_best.pt"
    assert progress.best.validation.values == {"loss": scores[expected]}


def test_of_equal_checkpoints_the_last_is_the_best_as_in_fairseq(tmp_path):
    progress = progress_of(tmp_path)
    for num_updates in (8, 16):
        follow(progress, [valid_line(num_updates, 3.0), saved_line(tmp_path, num_updates)])
    assert progress.best.validation.num_updates == 16


def test_a_resumed_training_knows_what_came_before(tmp_path):
    earlier = [valid_line(4, 0.1), saved_line(tmp_path, 4), START]  # another training, in the same folder
    earlier += [valid_line(8, 2.0), saved_line(tmp_path, 8), valid_line(16, 1.0), saved_line(tmp_path, 16)]
    (tmp_path / "train.log").write_text("\n".join(earlier), encoding="utf-8")
    anew, resumed = progress_of(tmp_path), progress_of(tmp_path)
    follow(anew, [START, valid_line(20, 5.0)])
    assert list(anew.validations) == [20]
    follow(resumed, [loaded_line(tmp_path / "checkpoint_last.pt", 8), START, valid_line(12, 3.0)])
    assert list(resumed.validations) == [8, 12]
    assert resumed.num_updates == 8
    assert resumed.best.validation.num_updates == 8


def test_a_checkpoint_of_another_training_is_no_resumption(tmp_path):
    (tmp_path / "train.log").write_text("\n".join([START, valid_line(8, 2.0)]), encoding="utf-8")
    progress = progress_of(tmp_path)
    follow(progress, [loaded_line(tmp_path / "elsewhere" / "checkpoint_last.pt", 8)])
    assert progress.num_updates == 0
    assert progress.validations == {}
