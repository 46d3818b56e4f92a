"""Options of varied examples that cannot be followed or have no effect."""

import pytest
from toy import build_model, training_task

from preprocess.errors import OptionError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_pieces": "units,text"}, "must name some of units, source, target, each once, .* got 'units,text'"),
        ({"sample_pieces": "units, source"}, "with nothing but a comma between two, got 'units, source'"),
        ({"sample_pieces": "units,units"}, "each once, with nothing but a comma between two, got 'units,units'"),
        ({"sample_pieces": ""}, "with nothing but a comma between two, got ''"),
        ({"repeat_jitter": "fixed", "mt_passes": 0.0}, "repeat_jitter fixed has no effect without text"),
        ({"valid_subset": "valid,train"}, "valid_subset names train, which is trained on, and validation would"),
        ({"sample_pieces": "units", "streams": "mt"}, "sample_pieces units has no effect without the stream st"),
        ({"sampling_alpha": 0.1}, "sampling_alpha 0.1 has no effect without --sample-pieces"),
        ({"sample_pieces": "target", "sampling_alpha": 0.0}, r"sampling_alpha must lie in \(0, 1\], got 0.0"),
        ({"repeat_jitter": "fixed", "streams": "st"}, "repeat_jitter fixed has no effect without text"),
        ({"repeat_jitter": "normal", "streams": "mt"}, "repeat_jitter normal measures speech, and the train"),
        ({"join_share": 1.0}, r"join_share must lie in \[0, 1\), got 1.0"),
        ({"join_share": 0.1, "streams": "mt"}, "join_share 0.1 has no effect without the stream st"),
        (
            {"speech_mask_share": 0.1, "streams": "mt"},
            "speech_mask_share 0.1 has no effect: the training has no speech",
        ),
        ({"text_mask_share": 0.1, "streams": "st"}, "text_mask_share 0.1 has no effect: the training has no text"),
        ({"text_mask_span": 2.0}, "text_mask_span 2.0 has no effect without --text-mask-share"),
        ({"speech_mask_share": 0.1, "speech_mask_span": 0.5}, "speech_mask_span must be 1 or more, got 0.5"),
        ({"speech_mask_share": 0.9, "speech_mask_span": 4.0}, "speech_mask_share is at most 0.80 with stretches of 4"),
        ({"speech_mask_share": -0.1}, r"speech_mask_share must lie in \[0, 1\), got -0.1"),
        ({"mask_form": "drop"}, "mask_form drop has no effect without masks"),
    ],
)
def test_options_that_cannot_be_followed_are_refused(toy_data_bin, options, message):
    task = training_task(toy_data_bin, **options)
    with pytest.raises(OptionError, match=message):
        task.load_dataset("train")


def test_dropping_does_not_go_with_two_views(toy_data_bin):
    task = training_task(toy_data_bin, {"rdrop_weight": 1.0}, speech_mask_share=0.1, mask_form="drop")
    with pytest.raises(OptionError, match="drop does not go with R-drop"):
        task.load_dataset("train")


def test_source_text_that_no_head_learns_is_not_sampled(toy_data_bin):
    task = training_task(toy_data_bin, sample_pieces="source", streams="st")
    build_model(task, "hmst_aed_tiny", embed_dim=16, ffn_embed_dim=16, encoder_layers=2)
    with pytest.raises(OptionError, match="source has no effect: there is no text, and no head learns transcripts"):
        task.load_dataset("train")
    build_model(task, "hmst_ctc_tiny", embed_dim=16, ffn_embed_dim=16, encoder_layers=2)
    task.load_dataset("train")
    for criterion in ({"source_ctc_streams": "mt"}, {"source_ctc_weight": 0.0}):
        task = training_task(toy_data_bin, criterion, sample_pieces="source", streams="st")
        build_model(task, "hmst_ctc_tiny", embed_dim=16, ffn_embed_dim=16, encoder_layers=2)
        with pytest.raises(OptionError, match="source has no effect: there is no text, and no head learns transcripts"):
            task.load_dataset("train")
