"""Every option of fairseq's search with every search: followed, or refused by name."""

import dataclasses
import itertools

import pytest
from doc_pages import table_below
from fairseq.dataclass.configs import GenerationConfig
from toy import REPOSITORY

from fairseq_hmst.generators.followed.table import LANGUAGES, SEARCHES, SUPPORT
from preprocess.errors import OptionError

OPTIONS = [field.name for field in dataclasses.fields(GenerationConfig) if field.name != "_name"]
# a value of each option that is not its default, and what it has an effect with
OTHER = {
    "beam": {"beam": 3},
    "nbest": {"nbest": 3},
    "lenpen": {"lenpen": 0.5},
    "unnormalized": {"unnormalized": True},
    "temperature": {"temperature": 2.0},
    "score_reference": {"score_reference": True},
    "max_len_a": {"max_len_a": 0.1, "max_len_b": 2},
    "max_len_b": {"max_len_b": 4},
    "unkpen": {"unkpen": -30.0},
    "min_len": {"min_len": 17},
    "no_repeat_ngram_size": {"no_repeat_ngram_size": 1},
    "lm_path": {"lm_path": "lm.pt", "lm_weight": 0.5},
    "lm_weight": {"lm_weight": 0.5, "lm_path": "lm.pt"},
    "sampling": {"sampling": True, "nbest": 5},
    "sampling_topk": {"sampling_topk": 3, "sampling": True, "nbest": 5},
    "sampling_topp": {"sampling_topp": 0.5, "sampling": True, "nbest": 5},
    "prefix_size": {"prefix_size": 2},
    "diverse_beam_groups": {"diverse_beam_groups": 5},
    "diverse_beam_strength": {"diverse_beam_strength": 2.0, "diverse_beam_groups": 5},
    "diversity_rate": {"diversity_rate": 2.0},
    "print_alignment": {"print_alignment": "hard"},
    "replace_unk": {"replace_unk": "@@ "},
    "constraints": {"constraints": "ordered"},
    "eos_token": {"eos_token": "</s>"},
    "decoding_format": {"decoding_format": "vote"},
    "retain_dropout_modules": {"retain_dropout_modules": ["x"]},
    "max_len_b_mt": {"max_len_b_mt": 7},
    "iter_decode_max_iter": {"iter_decode_max_iter": 3},
}


def other_value(option: str) -> dict[str, object]:
    """The option with a value that is not its default."""
    default = GenerationConfig.__dataclass_fields__[option].default
    return OTHER.get(option) or {option: True if default is False else default + 1}


def as_text(results: list[list[dict]]) -> list[list[tuple]]:
    """All that a command line prints of hypotheses."""
    return [
        [
            (
                h["tokens"].tolist(),
                round(float(h["score"]), 4),
                [*map(tuple, [] if h["alignment"] is None else h["alignment"])],
            )
            for h in row
        ]
        for row in results
    ]


def test_the_table_has_every_option_of_fairseq_and_no_other():
    assert sorted(SUPPORT) == sorted(OPTIONS)
    assert {search for support in SUPPORT.values() for search in support.by} == set(SEARCHES)


@pytest.mark.parametrize("search", SEARCHES)
def test_every_option_changes_the_output_or_is_refused_by_name(search, decoders):
    decoder = decoders[search]
    plain = as_text(decoder.decode())
    without_effect = []
    for option in OPTIONS:
        given = other_value(option)
        if search in SUPPORT[option].by:
            if as_text(decoder.decode(**given)) == plain:
                without_effect.append(option)
            continue
        with pytest.raises(OptionError) as caught:
            decoder.generator(**given)
        assert caught.value.name in given
        assert f"is not followed by decoding {search}, " in str(caught.value)
        for follower in SUPPORT[caught.value.name].by - {LANGUAGES}:
            assert follower in str(caught.value).split(": ")[0].split("by decoding")[1]
    # --nbest cuts the lists that searches return; scores are sacreBLEU's anyway; fairseq's commands read the seed
    assert without_effect == ["nbest", "sacrebleu", "no_seed_provided"]


@pytest.mark.parametrize("search", SEARCHES)
def test_defaults_are_never_refused(search, decoders):
    decoders[search].generator(**vars(GenerationConfig()))


def flags(options: list[str]) -> str:
    return ", ".join(f"`--{option.replace('_', '-')}`" for option in options)


def table_of_support() -> list[list[str]]:
    """Rows of the table in docs/decoding.md: options, a cell for each search, and why the empty ones do not."""
    rows = []
    groups = [[*names] for _, names in itertools.groupby(SUPPORT, lambda name: (SUPPORT[name].by, SUPPORT[name].why))]
    for names in groups:
        support = SUPPORT[names[0]]
        rows.append([flags(names), *("yes" if search in support.by else "" for search in SEARCHES), support.why])
    return rows


def test_the_table_of_the_docs_is_that_of_the_check():
    assert [
        list(row) for row in table_below(REPOSITORY / "docs" / "decoding.md", "Options of the search")
    ] == table_of_support()
