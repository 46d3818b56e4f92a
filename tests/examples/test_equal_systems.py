"""Equally good systems, which a calibrated test calls different in 5 % of the pairs."""

import importlib.util

import pytest
from scipy.stats import binom
from toy import REPOSITORY, run_command

SCRIPT = REPOSITORY / "examples" / "benchmarks" / "equal_systems.py"
LEVEL = 0.05


@pytest.fixture(scope="module")
def equal_systems():
    spec = importlib.util.spec_from_file_location("equal_systems", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expected_shares(pairs):
    """The range in which the share of a calibrated test lies with a probability of 99.9 %."""
    low, high = binom.ppf([0.0005, 0.9995], pairs, LEVEL)
    return low / pairs, high / pairs


def test_p_is_calibrated_where_paired_bootstrap_is_not(equal_systems):
    found = equal_systems.shares("alike", sentences=40, pairs=400, draws=100, seed=1)
    low, high = expected_shares(400)
    assert low <= found["p"] <= high < found["paired-bs p"]


def test_p_over_trainings_is_calibrated_where_p_over_sentences_is_not(equal_systems):
    found = equal_systems.shares("other seeds", sentences=40, pairs=150, draws=100, seed=1)
    low, high = expected_shares(150)
    assert low <= found["p over trainings"] <= high < found["p"]


def test_few_sentences_that_differ_are_no_difference(equal_systems):
    found = equal_systems.shares("three sentences", sentences=40, pairs=50, draws=100, seed=1)
    assert found["p"] <= LEVEL < expected_shares(50)[1] < found["--paired-ar"]


def test_systems_of_other_styles_have_equal_bleu(equal_systems):
    corpus = equal_systems.Corpus(1, sentences=400)
    references, (short,), (long,) = next(equal_systems.short_and_long(corpus, 4000))
    lengths = [sum(len(line.split()) for line in texts) for texts in (short, references, long)]
    assert lengths[0] < 0.9 * lengths[1] < 1.05 * lengths[1] < lengths[2]


def test_the_script_prints_a_line_for_each_kind():
    result = run_command("python", SCRIPT, "--sentences", 5, "--pairs", 2, "--draws", 3)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    kinds = ["alike", "short and long", "three sentences", "other seeds"]
    assert [line.split(":")[0] for line in lines] == [f"{kind}, 5 sentences, 2 pairs" for kind in kinds]
    assert "p over trainings" in lines[-1]
