"""What is written of the events of a training."""

import io
import json

import pytest
from rich.console import Console

from fairseq_hmst.command.train.fairseq_options import read_fairseq_options
from fairseq_hmst.command.train.log_lines import LoadedCheckpoint, SavedCheckpoint, Update, Validation
from fairseq_hmst.command.train.progress import TrainingProgress
from fairseq_hmst.command.train.result import TrainingResult
from fairseq_hmst.command.train.screens import BarScreen, JsonScreen, LineScreen
from fairseq_hmst.command.train.texts import duration
from fairseq_hmst.training.training_events import Sample, SampleTranslations, TrainingStart

SCORES = {"loss": 2.5, "bleu": 12.345, "chrf": 40.0, "bleu_bp": 0.9, "mt_bleu": 20.0, "st_source_wer": 33.33}


def events_of(save_dir):
    start = TrainingStart(
        "bin", "mfcc|k50", {"valid": {"st": 21}, "train": {"st": 1300}}, "M", 2000, 100, "cpu", 2, "float16", 8
    )
    losses = {"loss": 3.0, "st_loss": 2.5, "st_ctc_loss": 2.0, "st_source_ctc_loss": 1.5}
    losses |= {"wps": 1234.5, "memory_gb": 0.75}
    return [
        LoadedCheckpoint(save_dir / "checkpoint_last.pt", 10),
        start,
        Update(20, 1.25, losses),
        SampleTranslations(20, (Sample(3, "one", "un", "deux"), Sample(7, "", "trois", ""))),
        Validation("valid", 20, SCORES),
        SavedCheckpoint(save_dir / "checkpoint1.pt", 20),
        Update(30, 1.75, losses),
        Validation("valid", 30, {**SCORES, "bleu": 11.0}),
        Validation("valid2", 30, SCORES),
    ]


def shown(screen, save_dir):
    options = ["bin", "--save-dir", str(save_dir), "--max-update", "40", "--best-checkpoint-metric", "bleu"]
    now = iter([0.0, 60.0, 60.0, 60.0, 60.0])
    progress = TrainingProgress(
        read_fairseq_options([*options, "--maximize-best-checkpoint-metric"]), lambda: next(now)
    )
    with screen.running():
        screen.command("fairseq-train bin", "train.log")
        for event in events_of(save_dir):
            progress.follow(event)
            screen.event(event, progress)
    best = progress.best
    result = TrainingResult(0, 30, save_dir / "train.log", best.path, best.validation.values, "", ("hmst score",))
    screen.end(result, progress)


def test_lines_say_all_that_matters(tmp_path):
    lines = []
    shown(LineScreen(lines.append), tmp_path)
    assert lines == [
        "fairseq-train bin",
        "log        train.log",
        "data       bin  (mfcc|k50)",
        "train      1,300 st examples",
        "valid      21 st examples",
        "model      M, 2,000 parameters, 100 of them trained",
        "device     2 processes on cpu, float16",
        "epoch      8 batches of each process",
        "goes on after 10 updates",
        "update     20  epoch 1.25  loss 3.000  st 2.500 (ctc 2.00, source ctc 1.50)  1,234 tokens/s  0.8 GB",
        "update   loss  BLEU st  chrF st  BP st  BLEU mt  WER st",
        "    20  2.500    12.35    40.00  0.900    20.00    33.3  *",
        "       3  source      one",
        "          reference   un",
        "          hypothesis  deux",
        "       7  reference   trois",
        "          hypothesis  ",
        "update     30  epoch 1.75  loss 3.000  st 2.500 (ctc 2.00, source ctc 1.50)  1,234 tokens/s  0.8 GB  "
        "1 min 0 s left",
        "update   loss  BLEU st  chrF st  BP st  BLEU mt  WER st",
        "    30  2.500    11.00    40.00  0.900    20.00    33.3",
        "valid2:",
        "update   loss  BLEU st  chrF st  BP st  BLEU mt  WER st",
        "    30  2.500    12.35    40.00  0.900    20.00    33.3",
        "",
        "update   loss  BLEU st  chrF st  BP st  BLEU mt  WER st",
        "    20  2.500    12.35    40.00  0.900    20.00    33.3  *",
        "    30  2.500    11.00    40.00  0.900    20.00    33.3",
        f"best: {tmp_path / 'checkpoint1.pt'} (20 updates, bleu 12.345)",
        "next: hmst score",
    ]


def test_json_has_an_object_a_line(tmp_path):
    lines = []
    shown(JsonScreen(lines.append), tmp_path)
    objects = [json.loads(line) for line in lines]
    names = ["command", "loaded", "start", "update", "samples", "validation", "saved", "update", *["validation"] * 2]
    assert [each["event"] for each in objects] == [*names, "end"]
    assert objects[2]["examples"] == {"valid": {"st": 21}, "train": {"st": 1300}}
    assert objects[3]["seconds_left"] is None
    assert objects[7] | {"num_updates": 30, "epochs": 1.75, "seconds_left": 60.0, "st_ctc_loss": 2.0} == objects[7]
    assert objects[4]["samples"][1] == {"row": 7, "source": "", "reference": "trois", "hypothesis": ""}
    assert objects[5]["split"] == "valid"
    assert objects[5]["bleu"] == objects[-1]["best_scores"]["bleu"] == 12.345
    assert objects[-1]["best_checkpoint"] == str(tmp_path / "checkpoint1.pt")


def test_a_terminal_gets_the_lines_and_a_bar(tmp_path):
    output = io.StringIO()
    shown(BarScreen(Console(file=output, force_terminal=True, width=300)), tmp_path)
    assert "1,234 tokens/s" in output.getvalue()
    assert "update 30" in output.getvalue()
    assert "1 min 0 s left" in output.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5.4, "5 s"), (60, "1 min 0 s"), (3599.6, "1 h 0 min"), (9000, "2 h 30 min"), (90000, "1 d 1 h")],
)
def test_durations_have_two_units(seconds, text):
    assert duration(seconds) == text
