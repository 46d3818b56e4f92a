"""The steps of the road, in order: data, training, average, translations, scores, model folder."""

import logging
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from preprocess.__main__ import main as preprocess
from preprocess.errors import end_as
from preprocess.files.cards.card import CARD_NAME
from preprocess.files.cards.data_bin_card import DataBinCard
from preprocess.files.lock import locked
from preprocess.files.outputs.held import put_all_in_order

from ... import average
from ...export import command as export
from .. import generate
from ..check.recipe_check import check_before_work
from ..train import command as train
from ..train.checkpoints import BEST_CHECKPOINT, LAST_CHECKPOINT, kept_best
from .report import print_report, write_report
from .road_recipe import RoadRecipe
from .step import RoadError, RoadStep
from .training_start import measured, refuse_other_options


def run_road(path: Path, out: Path | None = None, settings: Sequence[str] = (), log_format: str = "auto") -> Path:
    """Make all that a recipe describes; what is finished and unchanged is kept.

    Args:
        path: of the recipe.
        out: in place of its `out`.
        settings: `SECTION.OPTION=VALUE`, in place of its own values.
        log_format: how the training is shown; see `hmst train`.

    Returns:
        The model folder.

    Raises:
        UserError: the recipe, its files or a step is at fault.
    """
    logging.basicConfig(format="%(levelname)s: %(message)s")
    logging.getLogger("preprocess").setLevel(logging.INFO)
    road = check_before_work(path, out, settings)
    put_all_in_order(road.save_dir)
    words = ["run", str(path), *(["--out", str(out)] if out else []), *(w for s in settings for w in ("--set", s))]
    _announce("preprocess", f"hmst preprocess {shlex.join(words)}")
    status = preprocess(words)
    end_as(status)
    if status:
        raise RoadError("the data could not be made", advice="mend it and run again")
    with locked(road.save_dir):
        for step in plan_steps(road, log_format):
            _run(step)
        report = write_report(road)
    print_report(road, report)
    return road.model


def train_recipe(path: Path, out: Path | None = None, settings: Sequence[str] = (), log_format: str = "auto") -> None:
    """Run the section `train` of a recipe alone, whose data-bin is made; see `run_road`.

    Raises:
        UserError: the recipe or its files are at fault, there is no data-bin, or the training failed.
    """
    road = check_before_work(path, out, settings)
    DataBinCard.read(road.data_bin)
    with locked(road.save_dir):
        _run(_train_step(road, log_format))


def plan_steps(road: RoadRecipe, log_format: str = "auto") -> Iterator[RoadStep]:
    """The steps behind the data-bin; each must be done before the next is asked for."""
    yield _train_step(road, log_format)
    save_dir, card = road.save_dir, road.data_bin / CARD_NAME
    checkpoint = save_dir / LAST_CHECKPOINT
    kept = kept_best(save_dir, road.metric)
    if road.checkpoint == "average" and len(kept) > 1:
        checkpoint = save_dir / "average.pt"
        words = ("--model", *map(str, kept), "--out", str(checkpoint))
        yield RoadStep("average", words, average.main, kept, lambda: [checkpoint], save_dir)
    elif road.checkpoint != "last" and (save_dir / BEST_CHECKPOINT).is_file():
        checkpoint = save_dir / BEST_CHECKPOINT
    sets = generate.find_test_sets(road.data_bin, road.splits, road.streams)
    chosen = ["--split", *road.splits] if road.splits else []
    chosen += ["--stream", *road.streams] if road.streams else []
    words = ("--data", str(road.data_bin), "--model", str(checkpoint), *chosen, "--out", str(save_dir), *road.decoding)
    outputs = [test_set.output(save_dir) for test_set in sets]
    yield RoadStep("generate", words, generate.main, [card, checkpoint], lambda: outputs, save_dir)
    words = ("--model", str(checkpoint), "--data", str(road.data_bin), "--out", str(road.model), *road.export)
    yield RoadStep("export", words, export.main, [card, checkpoint], lambda: [road.model / CARD_NAME], save_dir)


def _train_step(road: RoadRecipe, log_format: str) -> RoadStep:
    save_dir = road.save_dir
    words = (str(road.data_bin), *road.training, "--save-dir", str(save_dir))

    def train_checked(argv: list[str]) -> int:
        refuse_other_options(save_dir, words, road.data_bin / CARD_NAME)
        return measured(save_dir, lambda: train.main([*argv, "--log-format", log_format]))

    def outputs() -> list[Path]:
        return [save_dir / LAST_CHECKPOINT, *kept_best(save_dir, road.metric)]

    return RoadStep("train", words, train_checked, [road.data_bin / CARD_NAME], outputs, save_dir)


def _run(step: RoadStep) -> None:
    _announce(step.name, f"hmst {step.name} {shlex.join(step.words)}")
    if step.is_done():
        print("nothing changed, kept")
    else:
        step.make()


def _announce(name: str, what: str) -> None:
    print(f"\n== {name}: {what} ==", flush=True)
