"""Which options of the search hold: those that were chosen, those of a model folder, or the defaults."""

from dataclasses import asdict

import pytest

from fairseq_hmst.generators import generator_choice
from fairseq_hmst.model_folder import generation
from fairseq_hmst.model_folder.generation import GenerationOptions
from fairseq_hmst.translate.options import TranslationOptions

PLAIN = {"decoding": "auto", "beam": 5, "lenpen": 1.0, "ctc_decode_weight": None}
FOLDER = {"decoding": "joint", "beam": 7, "ctc_decode_weight": 0.6}


def settings(defaults: dict, **chosen) -> dict:
    return asdict(TranslationOptions(**chosen).over(GenerationOptions(**defaults)))


def test_what_was_chosen_wins_over_the_folder_and_the_folder_over_the_defaults():
    assert settings({}) == PLAIN
    assert settings(FOLDER) == PLAIN | FOLDER
    assert settings(FOLDER, beam=2, lenpen=0.3) == PLAIN | FOLDER | {"beam": 2, "lenpen": 0.3}
    assert settings(FOLDER, beam=0)["beam"] == 0  # to be refused, not to be replaced


def test_the_folders_weight_of_ctc_goes_with_its_decoding_alone():
    defaults = {"decoding": "joint", "ctc_decode_weight": 0.6}
    assert settings(defaults, decoding="attention")["ctc_decode_weight"] is None
    assert settings(defaults, decoding="joint")["ctc_decode_weight"] == 0.6
    assert settings(defaults, decoding="joint", ctc_decode_weight=0.2)["ctc_decode_weight"] == 0.2


def test_ranges_are_checked_when_options_are_made():
    with pytest.raises(ValueError, match="lenpen must be a finite number, got nan"):
        GenerationOptions(lenpen=float("nan"))
    with pytest.raises(ValueError, match=r"max_segment_seconds must lie in 1..60, got 0.5"):
        TranslationOptions(max_segment_seconds=0.5)


def test_the_help_names_the_defaults_of_the_search():
    assert generation.DEFAULT_CTC_DECODE_WEIGHT == generator_choice.DEFAULT_CTC_DECODE_WEIGHT
