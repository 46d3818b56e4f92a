"""Truth: numpy and scipy on the raw units and texts, SentencePiece itself, and what binarize counts when run again."""

import json
import shutil
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from cards import read_card
from scipy.stats import entropy, gmean
from sentencepiece import SentencePieceProcessor
from spoken_corpus import NUM_UNITS, run_binarize

from preprocess.files.manifest import read_manifest
from preprocess.files.text import normalise_text
from preprocess.files.units import read_units, units_to_text
from preprocess.report.figures.data_bin_figures import DataBinFigures

SPLITS = {"train": "train", "dev": "valid", "test": "test", "test_far": "test_far"}
Texts = list[list[str]]


def rows_of(corpus: Path, split: str):
    return read_manifest(corpus / "manifest" / f"{split}.tsv", check_audio=False)


def encode(corpus: Path, model: str, texts: list[str]) -> Texts:
    processor = SentencePieceProcessor(model_file=str(corpus / "subwords" / f"{model}.model"))
    return processor.encode(texts, out_type=str)


def speech(corpus: Path, split: str) -> tuple[Texts, Texts, Texts]:
    """Pieces of the source, the transcript and the target of the rows with audio."""
    rows = [row for row in rows_of(corpus, split) if row.audio is not None]
    units = dict(read_units(corpus / "units" / f"{split}.units"))
    return (
        encode(corpus, "unit", [units_to_text(units[row.id]) for row in rows]),
        encode(corpus, "source", [normalise_text(row.src_text) for row in rows]),
        encode(corpus, "target", [normalise_text(row.tgt_text) for row in rows]),
    )


def test_report_json_has_all_figures_and_no_other_keys(figures: dict[str, Any], described: DataBinFigures):
    assert msgspec.convert(figures, DataBinFigures, strict=False) == described
    assert json.loads(described.to_json()) == figures
    assert list(figures) == [
        *("data_bin", "checks", "signature", "languages", "repeat", "num_units", "text_model", "external_text"),
        *("streams", "seconds", "speakers", "vocabulary", "units", "run_lengths", "per_second", "repeat_factors"),
        "examples",
    ]
    assert "transcript" not in figures["streams"]["train"]["mt"]  # what is unset has no key, what is unknown is null
    assert "ctc_infeasible" not in figures["streams"]["train"]["st"]["source"]
    assert "frames" not in figures["per_second"]["test"]
    assert figures["streams"]["train"]["mt"]["seconds"] is None


def test_units_are_counted_as_in_the_units_files(corpus: Path, figures: dict[str, Any]):
    seen = set()
    for split, name in SPLITS.items():
        units = list(chain(*(row for _, row in read_units(corpus / "units" / f"{split}.units"))))
        counts = np.bincount(units, minlength=NUM_UNITS)
        found = figures["units"][name]
        assert found["counts"] == counts.tolist()
        assert found["deduplicated_units"] == len(units)
        assert found["used"] == len(set(units)) == round(found["share_used"] * NUM_UNITS)
        assert found["entropy_bits"] == pytest.approx(entropy(counts, base=2))
        assert found["perplexity"] == pytest.approx(np.exp(entropy(counts)))
        assert found["unused"] == sorted(set(range(NUM_UNITS)) - set(units))
        assert found["not_in_earlier_splits"] == (sorted(set(units) - seen) if seen else [])
        seen |= set(units)


def test_runs_and_rates_are_those_of_the_cards(corpus: Path, figures: dict[str, Any], run_lengths: dict[str, int]):
    runs = [int(length) for length, number in run_lengths.items() for _ in range(number)]
    assert list(figures["run_lengths"]) == ["train"]
    found = figures["run_lengths"]["train"]
    assert found == {
        "runs": len(runs),
        "mean": pytest.approx(np.mean(runs)),
        "share_of_one_frame": pytest.approx(runs.count(1) / len(runs)),
        "longest": max(runs),
        "counts": run_lengths,
    }
    for split, name in SPLITS.items():
        sources, _, targets = speech(corpus, split)
        seconds = 1.5 * len(sources)
        rates = figures["per_second"][name]
        assert rates["seconds"] == seconds
        assert rates["deduplicated_units"] == pytest.approx(11 / 1.5)
        assert rates["unit_subwords"] == pytest.approx(sum(map(len, sources)) / seconds)
        assert rates["target_subwords"] == pytest.approx(sum(map(len, targets)) / seconds)
    assert figures["per_second"]["train"]["frames"] == pytest.approx(39 / 1.5)


def test_lengths_are_those_of_sentencepiece(corpus: Path, figures: dict[str, Any]):
    for split, name in SPLITS.items():
        for side, pieces in zip(("source", "transcript", "target"), speech(corpus, split), strict=True):
            lengths = np.array([len(row) for row in pieces if row])
            found = figures["streams"][name]["st"][side]
            assert (found["known"], found["tokens"], found["unknown"]) == (len(lengths), lengths.sum(), 0)
            assert found["lengths"]["mean"] == pytest.approx(lengths.mean())
            assert found["lengths"]["median"] == np.median(lengths)
            assert (found["lengths"]["min"], found["lengths"]["max"]) == (lengths.min(), lengths.max())
            histogram = found["histogram"]
            edges = np.arange(len(histogram["counts"]) + 1) * histogram["width"]
            assert histogram["counts"] == np.histogram(lengths, edges - 0.5)[0].tolist()
            assert sum(histogram["counts"]) + histogram["longer"] == len(lengths)
            assert histogram["longer"] <= len(lengths) / 100


def test_examples_too_short_for_ctc_are_as_binarize_counted_them(corpus: Path, figures: dict[str, Any]):
    counts = read_card(corpus / "data-bin", "binarize")["counts"]
    for split, streams in counts.items():
        for stream, expected in streams.items():
            found = figures["streams"][split][stream]
            assert found["target"]["ctc_infeasible"] == expected["ctc_infeasible"]
            if stream == "st":
                assert found["transcript"]["ctc_infeasible"] == expected["source_ctc_infeasible"]
    assert sum(found["mt"]["ctc_infeasible"] for found in counts.values()) > 0


def test_factors_compare_each_sentence_with_its_own_speech(corpus: Path, figures: dict[str, Any]):
    sources, transcripts, _ = speech(corpus, "train")
    pairs = np.array([(len(a), len(b)) for a, b in zip(sources, transcripts, strict=True) if b])
    found = figures["repeat_factors"]
    assert (found["split"], found["paired_examples"], found["made_with"]) == ("train", len(pairs), 4)
    differences = {}
    for factor in range(1, 7):
        ratios = factor * pairs[:, 1] / pairs[:, 0]
        entry = found["factors"][str(factor)]
        assert entry["ratio_of_lengths"] == pytest.approx(factor * pairs[:, 1].sum() / pairs[:, 0].sum())
        assert entry["percentiles"]["50"] == pytest.approx(np.median(ratios))
        assert entry["close_share"] == pytest.approx(np.mean((ratios <= 1.25) & (ratios >= 0.8)))
        differences[factor] = gmean(np.maximum(ratios, 1 / ratios))
        assert entry["typical_difference"] == pytest.approx(differences[factor])
    assert found["nearest"] == min(differences, key=differences.__getitem__)
    ratio = read_card(corpus / "data-bin", "binarize")["ratios"]["repeated_text_to_speech_length"]
    assert found["factors"]["4"]["ratio_of_lengths"] == pytest.approx(ratio)
    assert {tuple(pair) for pair in found["sample"]} <= {tuple(pair) for pair in pairs.tolist()}


@pytest.mark.parametrize("factor", [1, 2, 6])
def test_a_data_bin_made_with_a_factor_has_as_many_texts_too_short_as_foretold(
    corpus: Path, tmp_path: Path, figures: dict[str, Any], factor: int
):
    copy = shutil.copytree(corpus, tmp_path / "corpus", ignore=shutil.ignore_patterns("data-bin", "report"))
    data_bin = run_binarize(copy, "--mt-text", copy / "mt.en", copy / "mt.fr", "--repeat", factor)
    counted = read_card(data_bin, "binarize")["counts"]["train"]["mt"]["ctc_infeasible"]
    entry = figures["repeat_factors"]["factors"][str(factor)]
    assert entry["text_ctc_infeasible"] == counted
    assert entry["text_ctc_infeasible_share"] == counted / figures["streams"]["train"]["mt"]["examples"]
    assert factor > 1 or counted > 5


def test_the_dictionaries_count_the_pieces_that_occur(corpus: Path, figures: dict[str, Any]):
    sources, transcripts, targets = speech(corpus, "train")
    rows = [row for row in rows_of(corpus, "train") if row.src_text]
    pairs = [(normalise_text(row.src_text), normalise_text(row.tgt_text)) for row in rows]
    pairs += [("a dog", "un chien"), ("at night", "la nuit")]
    texts = encode(corpus, "source", [source for source, _ in pairs])
    targets += encode(corpus, "target", [target for _, target in pairs])
    expected = {
        "unit": (14, set(chain(*sources)), sum(map(len, sources))),
        "source": (19, set(chain(*transcripts, *texts)), sum(map(len, transcripts)) + 4 * sum(map(len, texts))),
        "target": (22, set(chain(*targets)), sum(map(len, targets))),
    }
    for name, (pieces, used, tokens) in expected.items():
        assert figures["vocabulary"][name] == {"pieces": pieces, "used": len(used), "tokens": tokens}


def test_examples_are_rows_of_the_manifest_taken_apart(corpus: Path, figures: dict[str, Any]):
    rows = rows_of(corpus, "dev")
    units = dict(read_units(corpus / "units" / "dev.units"))
    spoken = [example for example in figures["examples"] if example["stream"] == "st"]
    assert {example["split"] for example in figures["examples"]} == {"valid"}
    assert len({example["index"] for example in spoken}) == len(spoken) > 2
    for example in spoken:
        row = rows[example["index"]]
        assert example["id"] == row.id
        assert list(chain(*example["source"])) == units[row.id]
        assert example["source_text"] == row.src_text
        assert example["target_text"] == normalise_text(row.tgt_text)
        assert example["target"] == encode(corpus, "target", [example["target_text"]])[0]
    lengths = [len(example["source"]) for example in spoken]
    assert all(a <= b for a, b in pairwise(lengths))
    written = [row for row in rows if row.src_text]
    for example in figures["examples"][len(spoken) :]:
        pieces = encode(corpus, "source", [written[example["index"]].src_text])[0]
        assert example["source"] == [piece for piece in pieces for _ in range(4)]
        assert example["id"] == written[example["index"]].id
        assert example["source_text"] == written[example["index"]].src_text
