"""What the page tells about its model."""

import pytest

pytest.importorskip("babel", reason="needs the extra [demo]")

from fairseq_hmst.demo.about import show_about


def test_kind_languages_search_and_data_of_the_model_are_told(translator):
    html = show_about(translator.with_options(beam=3))
    for words in ("English", "French", "CTC, beam 3", "clusters of MFCC", translator.folder.card.signature):
        assert f"{words}</td>" in html
    assert f"{translator.folder.card.parameters:,}" in html
