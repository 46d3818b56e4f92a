"""Truths: the language codes of transformers' own tokenizers, and the languages written down by hand."""

from dataclasses import asdict

import pytest

from preprocess.errors import VocabularyError
from preprocess.files.cards.stage_cards import TextModelEntry
from preprocess.files.languages import (
    CONVENTIONS,
    MBART_25_SYMBOLS,
    Languages,
    find_doubts,
    find_language_symbols,
    find_symbol,
)

MBART_25 = TextModelEntry("mbart-cc25", "tiny", "", MBART_25_SYMBOLS, pieces=10)


def test_the_published_symbols_are_those_of_transformers_in_its_order():
    from transformers.models.m2m_100 import tokenization_m2m_100
    from transformers.models.mbart import tokenization_mbart
    from transformers.models.mbart50 import tokenization_mbart50
    from transformers.models.nllb import tokenization_nllb

    assert list(CONVENTIONS["mbart-cc25"].symbols) == tokenization_mbart.FAIRSEQ_LANGUAGE_CODES
    assert list(CONVENTIONS["mbart-50"].symbols) == tokenization_mbart50.FAIRSEQ_LANGUAGE_CODES
    assert list(CONVENTIONS["nllb-200"].symbols) == tokenization_nllb.FAIRSEQ_LANGUAGE_CODES
    m2m = tokenization_m2m_100.FAIRSEQ_LANGUAGE_CODES["m2m100"]
    assert list(CONVENTIONS["m2m-100"].symbols) == [f"__{code}__" for code in m2m]


@pytest.mark.parametrize(
    ("language", "symbol"),
    [("en", "en_XX"), ("de", "de_DE"), ("de_DE", "de_DE"), ("zh-CN", "zh_CN"), ("sv-SE", "sv_SE"), ("pt", "pt_XX")],
)
def test_a_language_is_found_by_its_code_or_its_symbol(language: str, symbol: str):
    assert find_symbol(language, CONVENTIONS["mbart-50"].symbols, "tiny") == symbol


@pytest.mark.parametrize(
    ("convention", "language", "symbol"),
    [
        ("nllb-200", "en", "eng_Latn"),
        ("nllb-200", "zh", "zho_Hans"),
        ("nllb-200", "zho-Hant", "zho_Hant"),
        ("nllb-200", "fa", "pes_Arab"),
        ("nllb-200", "ger", "deu_Latn"),
        ("m2m-100", "de", "__de__"),
        ("m2m-100", "deu", "__de__"),
        ("m2m-100", "__ast__", "__ast__"),
    ],
)
def test_codes_of_two_and_of_three_letters_are_one_language(convention: str, language: str, symbol: str):
    assert find_symbol(language, CONVENTIONS[convention].symbols, "tiny") == symbol


def test_a_model_of_one_pair_takes_its_pair_alone():
    opus = TextModelEntry("opus-mt", "opus", "", (), pieces=10, languages=("en", "de"))
    assert find_language_symbols(Languages(("en",), ("de",)), opus) is None
    assert find_language_symbols(Languages(("en-GB",), ("deu",)), opus) is None
    for source, target, message in (("en", "fr", "target language fr"), ("de", "en", "source language de")):
        with pytest.raises(VocabularyError, match=f"translates from en to de, but the data has the {message}"):
            find_language_symbols(Languages((source,), (target,)), opus)


def test_a_model_of_one_source_language_names_the_target_in_the_source():
    symbols = (">>fra<<", ">>pt_BR<<", ">>it<<")
    opus = TextModelEntry("opus-mt-several", "opus", "", symbols, pieces=10, languages=("en", "roa"))
    found = find_language_symbols(Languages(("en",), ("fr", "ita", "pt-BR")), opus)
    assert found is not None
    assert found.symbols == {"fr": ">>fra<<", "ita": ">>it<<", "pt-BR": ">>pt_BR<<"}
    assert found.of_source("en", "fr") == ">>fra<<"
    with pytest.raises(VocabularyError, match="has no language 'de'; it has >>fra<<"):
        find_language_symbols(Languages(("en",), ("de",)), opus)
    with pytest.raises(VocabularyError, match="the data has the source language fr"):
        find_language_symbols(Languages(("fr",), ("it",)), opus)


@pytest.mark.parametrize("language", ["sv", "en_GB", "zh-TW", "EN", "e", ""])
def test_a_language_that_the_model_lacks_is_named_with_those_that_it_has(language: str):
    with pytest.raises(VocabularyError, match=rf"model tiny has no language '{language}'; it has ar_AR, .*, zh_CN: "):
        find_symbol(language, MBART_25_SYMBOLS, "tiny")


def test_one_target_language_needs_no_symbol_however_many_source_languages():
    assert find_language_symbols(Languages(("en",), ("fr",)), None) is None
    assert find_language_symbols(Languages(("en", "it"), ("fr",)), None) is None


def test_several_target_languages_are_told_by_the_symbol_of_the_target_on_both_sides():
    symbols = find_language_symbols(Languages(("en",), ("de", "fr")), None)
    assert symbols is not None
    assert asdict(symbols.as_entry()) == {
        "source": "target_first",
        "target": "first_output",
        "symbols": {"de": "<lang:de>", "fr": "<lang:fr>"},
    }
    assert symbols.of_source("en", "de") == "<lang:de>"


def test_a_text_model_has_symbols_for_one_pair_too_and_the_source_has_its_own():
    symbols = find_language_symbols(Languages(("en",), ("de_DE",)), MBART_25)
    assert symbols is not None
    assert asdict(symbols.as_entry()) == {
        "source": "source_last",
        "target": "first_input",
        "symbols": {"de_DE": "de_DE", "en": "en_XX"},
    }
    assert symbols.of_source("en", "de_DE") == "en_XX"
    with pytest.raises(VocabularyError, match="no language 'sv'"):
        find_language_symbols(Languages(("en",), ("de", "sv")), MBART_25)


def test_languages_that_cannot_be_told_apart_or_written_are_refused():
    with pytest.raises(VocabularyError, match="the languages de, de_DE are all de_DE: write it alike in all manifests"):
        find_language_symbols(Languages(("en",), ("de", "de_DE")), MBART_25)
    with pytest.raises(VocabularyError, match="expected a target language without white space, .* got 'de AT'"):
        find_language_symbols(Languages(("en",), ("de AT", "fr")), None)


@pytest.mark.parametrize("other", ["EN", "en-US", "en_gb", " en", "en us", "En\u00a0"])
def test_a_language_that_differs_by_case_space_or_region_is_named_once_with_both_places(other: str):
    rows = [("a:2", "en", "fr"), ("a:3", "en", "fr"), ("a:4", other, "fr"), ("a:5", other, "fr"), ("a:6", "eng", "fr")]
    (doubt,) = find_doubts(rows)
    assert doubt.place == "a:4" and not doubt.are_two_regions
    assert doubt.found == f"src_lang is '{other}' here and 'en' in a:2, which are two languages"


def test_source_and_target_of_a_row_may_be_one_language_and_two_regions_may_be_meant():
    first, second = find_doubts(
        [("a:2", "pt-BR", "pt-PT"), ("a:3", "de", "fr"), ("b:2", "de", "DE"), ("b:3", "de", "DE")]
    )
    assert (first.place, first.are_two_regions) == ("a:2", True)
    assert str(second) == (
        "b:2: src_lang 'de' and tgt_lang 'DE' are one language; write a language alike everywhere, unless two are meant"
    )
