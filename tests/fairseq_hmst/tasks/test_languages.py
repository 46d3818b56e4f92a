"""The task on data-bins with language symbols: input without targets, and BLEU by language."""

from argparse import Namespace
from dataclasses import replace

import pytest
import torch
from toy import batch_of, build_model, build_task, make_toy_data_bin, toy_sentences, translate

from fairseq_hmst.data.data_bin import DataBinError
from fairseq_hmst.tasks.hmst_translation import HmstTranslationTask
from preprocess.files.cards.data_bin_card import DataBinCard
from preprocess.files.languages import Languages

SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 1}


@pytest.fixture(scope="module")
def task(language_data_bin):
    return build_task(language_data_bin)


def task_without_data(task, **options) -> HmstTranslationTask:
    """As fairseq-interactive has it: nothing loaded."""
    from omegaconf import OmegaConf

    return HmstTranslationTask(OmegaConf.merge(task.cfg, options))


def lines_of(task, stream):
    """(line, row of the valid stream) of the dev split's sentences, as a user would type them."""
    rows = toy_sentences(21, seed=1)
    if stream == "st":
        return [(" ".join(map(str, units)), row) for row, (units, _, _) in enumerate(rows)]
    transcribed = [english for row, (_, english, _) in enumerate(rows) if row % 7 != 3]
    return [(english, 21 + row) for row, english in enumerate(transcribed)]


@pytest.mark.parametrize("stream", ["st", "mt"])
def test_lines_without_targets_become_the_sources_of_the_data_bin(task, stream):
    interactive = {
        language: task_without_data(task, eval_stream=stream, target_language=language) for language in ("fr", "de")
    }
    dataset = task.dataset("valid")
    for line, row in lines_of(task, stream)[:6]:
        expected = dataset.collater([dataset[row]])["net_input"]
        (language,) = task.data_bin.language_symbols.target_languages(expected["prev_output_tokens"])
        own = interactive[language]
        codec = own.build_bpe(None)
        tokens, lengths = own.get_interactive_tokens_and_lengths([line], codec.encode)
        found = own.build_dataset_for_inference(tokens, lengths)
        batch = found.collater([found[0]])
        assert torch.equal(batch["net_input"]["src_tokens"], expected["src_tokens"])
        num_start = task.data_bin.language_symbols.num_start_tokens
        assert torch.equal(batch["net_input"]["prev_output_tokens"], expected["prev_output_tokens"][:, :num_start])


def test_input_without_targets_is_decoded_as_the_same_examples_with_targets(task):
    model = build_model(task, "hmst_aed_tiny", **SMALL)
    options = Namespace(beam=3, max_len_b=10)
    for language, rows in {"fr": [0, 2, 4], "de": [1, 3, 5]}.items():
        own = task_without_data(task, target_language=language)
        batch = batch_of(task, rows)
        expected = task.inference_step(task.build_generator([model], options), [model], batch)
        # what fairseq-interactive hands over
        net_input = {name: batch["net_input"][name] for name in ("src_tokens", "src_lengths")}
        found = own.inference_step(own.build_generator([model], options), [model], {"net_input": net_input})
        assert [str(hypotheses) for hypotheses in found] == [str(hypotheses) for hypotheses in expected]


def test_hypotheses_and_references_lose_their_symbols_as_text(task):
    model = build_model(task, "hmst_aed_tiny", **SMALL)
    generator = task.build_generator([model], Namespace(beam=2, max_len_b=5))
    assert task.data_bin.language_symbols.output_ids <= generator.symbols_to_strip_from_output
    batch = batch_of(task, range(4))
    for row, target in zip(batch["id"].tolist(), batch["target"], strict=True):
        assert task.text.target(target) == translate(toy_sentences(21, seed=1)[row][1], ("fr", "de")[row % 2])


def test_of_several_languages_one_must_be_named(task):
    with pytest.raises(
        DataBinError, match="several target languages; name that of the input by --target-language, one"
    ):
        task.build_dataset_for_inference([torch.tensor([4, 2])], [2])


def test_a_language_that_the_data_bin_lacks_is_refused_with_those_it_has(task):
    with pytest.raises(ValueError, match="target_language nl: the data-bin has de, fr"):
        task_without_data(task, target_language="nl")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_language": "fr"}, "target_language fr has no effect: the data-bin has one target language"),
        ({"source_language": "en"}, "source_language en has no effect: the data-bin has one source language"),
    ],
)
def test_a_language_is_refused_where_there_is_one(toy_task, options, message):
    with pytest.raises(ValueError, match=message):
        task_without_data(toy_task, **options)


def test_a_source_language_is_refused_where_sources_do_not_name_theirs(two_target_data_bin, monkeypatch):
    task = build_task(two_target_data_bin)
    card = replace(task.data_bin.card, languages=Languages(("en", "nl"), ("de", "fr")))
    monkeypatch.setattr(DataBinCard, "read", lambda folder: card)
    with pytest.raises(ValueError, match="has no effect: the data-bin has a form that does not name its source langua"):
        task_without_data(task, source_language="nl")


def test_a_target_language_is_refused_for_examples_that_name_their_own(two_target_data_bin):
    with pytest.raises(
        ValueError, match="--target-language de has no effect on 'train': the examples of a data-bin na"
    ):
        build_task(two_target_data_bin, target_language="de")


def test_validation_counts_each_languages_words(task):
    task.cfg.eval_bleu = True
    model = build_model(task, "hmst_aed_tiny", **SMALL)
    task.cfg.eval_bleu = False
    batch = batch_of(task, [0, 1, 2, 30, 31])

    class Perfect:
        def generate(self, models, sample, **options):
            targets = {int(i): target for i, target in zip(batch["id"], batch["target"], strict=True)}
            score = torch.zeros(())
            return [
                [{"tokens": targets[int(i)], "score": score, "positional_scores": torch.zeros(len(targets[int(i)]))}]
                for i in sample["id"]
            ]

    task.validation.generator = Perfect()
    statistics = task.validation.statistics(batch, model)
    texts = [toy_sentences(21, seed=1)[row][1] for row in (0, 1, 2)]
    for language, rows in {"fr": (0, 2), "de": (1,)}.items():
        words = sum(len(texts[row].split()) for row in rows)
        assert statistics[f"_bleu_{language}_sys_len"] == statistics[f"_bleu_{language}_counts_1"] == words


def test_a_text_model_of_one_target_language_needs_no_option(tmp_path, request):
    from tiny_mbart import write_hugging_face_mbart

    model = write_hugging_face_mbart(tmp_path / "model", "mbart-cc25")
    task = build_task(make_toy_data_bin(tmp_path, text_model=model))
    dataset = task.build_dataset_for_inference([torch.tensor([4, 2])], [2])
    batch = dataset.collater([dataset[0]])
    symbol = task.source_dictionary.index("en_XX"), task.target_dictionary.index("fr_XX")
    assert batch["net_input"]["src_tokens"].tolist() == [[4, 2, symbol[0]]]
    assert batch["net_input"]["prev_output_tokens"].tolist() == [[symbol[1]]]
    with pytest.raises(ValueError, match="target_language fr has no effect: the data-bin has one target language"):
        task_without_data(task, target_language="fr")
