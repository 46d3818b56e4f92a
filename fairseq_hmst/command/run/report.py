"""Scores of the road's model on all test sets: report.json beside the checkpoints, and a table for a person."""

import shlex
from dataclasses import asdict

from preprocess.files.cards.data_bin_card import DataBinCard
from preprocess.files.reading.escaping import to_json
from preprocess.files.whole import whole_file

from ...score import CorpusScore, References, score_output
from ..generate import TestSet, find_test_sets
from .road_recipe import RoadRecipe
from .training_start import read_figures

STREAMS = {"st": "speech to text", "mt": "text to text"}


def write_report(road: RoadRecipe) -> dict[TestSet, CorpusScore]:
    """Score the translated test sets, and write report.json: scores, seconds and peak memory of the training, data.

    Its keys are `st`, `mt`, and for another test set such as test_prompts `st_prompts`.
    """
    card = DataBinCard.read(road.data_bin)
    scores = {
        test_set: score_output(
            test_set.output(road.save_dir), References.of_data_bin(road.data_bin, test_set.split, test_set.stream)
        )
        for test_set in find_test_sets(road.data_bin, road.splits, road.streams)
    }
    report: dict[str, object] = {
        test_set.stream + test_set.split.removeprefix("test"): score.as_dict() for test_set, score in scores.items()
    }
    report |= read_figures(road.save_dir)
    report |= {"card": card.signature, "ratios": asdict(card.ratios)}
    with whole_file(road.save_dir / "report.json") as temporary:
        temporary.write_text(to_json(report, indent=2) + "\n", encoding="utf-8")
    return scores


def print_report(road: RoadRecipe, scores: dict[TestSet, CorpusScore]) -> None:
    """Print the table of the scores, and what to do next."""
    titles = {test_set: f"{test_set.split}, {STREAMS[test_set.stream]}" for test_set in scores}
    width = max(map(len, titles.values()))
    print(f"\n{'test set':{width}}  sentences   BLEU   chrF  brevity penalty  length ratio")
    for test_set, score in scores.items():
        print(
            f"{titles[test_set]:{width}}  {score.sentences:9d}  {score.bleu:5.1f}  {score.chrf:5.1f}  "
            f"{score.bp:15.3f}  {score.length_ratio:12.3f}"
        )
    any_score = next(iter(scores.values()))
    card = DataBinCard.read(road.data_bin)
    print(f"\nBLEU: {any_score.bleu_signature}\nchrF: {any_score.chrf_signature}\ndata: {card.signature}")
    for name, value in card.ratios.known.items():
        print(f"{name.replace('_', ' ')}: {value:.2f}")
    figures = read_figures(road.save_dir)
    if figures.keys() >= {"seconds", "peak_memory_mb"}:
        print(f"training took {figures['seconds']} s and at most {figures['peak_memory_mb']} MB")
    model = shlex.quote(str(road.model))
    print(f"\nnext: hmst translate {model} RECORDING.wav, or hmst demo {model}")
