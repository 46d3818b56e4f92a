"""From a text model to a translator that is used in every way: searches, model folder, recordings, text, live, page."""

import numpy as np
import pytest
from prompt_models import PROMPTS, configuration, generate_here, make_prompt_data_bin
from text_model_cases import write_random_model

from fairseq_hmst.demo.answers import Choices, translate_recording
from fairseq_hmst.export import export
from fairseq_hmst.live import LiveTranslator
from fairseq_hmst.live.options import LiveOptions
from fairseq_hmst.text_start.command import main
from fairseq_hmst.translate import Translator
from preprocess.speech.audio import load_audio


@pytest.mark.parametrize("convention", ["opus-mt", "m2m-100", "nllb-200-legacy"])
def test_all_that_follows_works_from_a_text_model(tmp_path, convention):
    from fairseq_cli.train import main as train

    text_model = write_random_model(tmp_path / "model", convention, max_position_embeddings=600)
    data_bin = make_prompt_data_bin(tmp_path, text_model=text_model)
    start, save_dir = tmp_path / "start.pt", tmp_path / "save"
    assert main(["--from", str(text_model), "--data", str(data_bin), "--out", str(start)]) == 0
    options = [
        "--task",
        "hmst_translation",
        "--arch",
        "hmst_ctc_attention",
        "--init-from",
        start,
        "--finetune",
        "units",
    ]
    options += [
        "--finetune",
        "units",
        "--new-lr-scale",
        3,
        "--criterion",
        "hmst_joint",
        "--optimizer",
        "adam",
        "--lr",
        0.001,
    ]
    options += ["--max-tokens", 2000, "--max-update", 2, "--disable-validation", "--save-dir", save_dir]
    train(configuration("training", data_bin, *options))
    checkpoint = save_dir / "checkpoint_last.pt"
    start.unlink()
    found = {}
    for decoding in ("joint", "attention", "ctc"):
        length = [] if decoding == "ctc" else ["--max-len-b", 12, "--max-len-a", 0]
        hypotheses = generate_here(data_bin, checkpoint, "--decoding", decoding, *length)
        assert len(hypotheses) == len(PROMPTS)
        found[decoding] = [texts[0][0] for texts in hypotheses]
    export([[checkpoint]], data_bin, tmp_path / "folder")
    translator = Translator.from_pretrained(tmp_path / "folder", decoding="ctc")
    translations = translator.translate(PROMPTS)
    assert [translation.text for translation in translations] == found["ctc"]
    assert isinstance(translator.translate_text("Please hold.").text, str)
    samples = np.concatenate([load_audio(PROMPTS[0]), np.zeros(8000, np.float32)])
    live = LiveTranslator(translator.model, LiveOptions().changed({"beam": 2, "decoding": "ctc", "policy": "wait"}))
    live.feed(samples)
    live.finish()
    answer = translate_recording(translator, str(PROMPTS[0]), Choices(), 60.0)
    assert answer.translation.text == translations[0].text
