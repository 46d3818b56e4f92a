"""Threads that share one decoder, one generator or one Translator: the results are those of one thread."""

import contextlib
from functools import partial

import pytest
import torch
from fairseq.dataclass.configs import GenerationConfig
from fairseq.sequence_generator import SequenceGenerator
from lockstep import in_lockstep
from prompt_models import PROMPTS
from toy import batch_of, build_model, build_task

from fairseq_hmst.alignment import align
from fairseq_hmst.translate.decoder import Decoder
from fairseq_hmst.translate.open_model import OpenModel

SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "source_ctc_layer": 1}
FAMILIES = {
    "hmst_aed_tiny": {"decoder_layers": 1, "target_ctc": True, "max_target_positions": 12},
    "hmst_ctc_tiny": {},
    "hmst_ctc_attention_tiny": {"decoder_layers": 1, "encoder_type": "conformer", "max_target_positions": 12},
    "hmst_transducer_tiny": {"predictor_dim": 16, "joint_dim": 16, "target_ctc": True},
}
WAYS = [
    *[("hmst_aed_tiny", decoding) for decoding in ("attention", "ctc", "joint")],
    ("hmst_ctc_tiny", "ctc"),
    *[("hmst_ctc_attention_tiny", decoding) for decoding in ("attention", "joint")],
    *[("hmst_transducer_tiny", decoding) for decoding in ("transducer", "ctc")],
]
LINES = ["0 3 1 4 2 5", "6 7 6 7 1 2 3 0 3 1 4 2 9 8", "2 1", "4 5 4 5 4 5 4 5 4 5 4 5"]


def shaken_model(task, family):
    """Random weights that make outputs depend on their sources."""
    model = build_model(task, family, **SMALL | FAMILIES[family])
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn(parameter.shape, generator=generator)
    return model


@pytest.fixture
def written(monkeypatch):
    """Names of attributes of torch modules that are written meanwhile, but of generators made for one batch."""
    names = []
    write = torch.nn.Module.__setattr__

    def watched(module, name, value):
        if name != "training" and not isinstance(module, SequenceGenerator):
            names.append(f"{type(module).__name__}.{name}")
        write(module, name, value)

    monkeypatch.setattr(torch.nn.Module, "__setattr__", watched)
    return names


def outcomes(decoder, lines, languages):
    return [[(each.tokens, each.score) for each in found.nbest] for found in decoder.decode(lines, "st", languages)]


def make_decoder(data_bin, family, decoding, beam=3):
    task = build_task(data_bin, decoding=decoding)
    return Decoder(task, [shaken_model(task, family)], beam, 1.0, beam, 8000)


@pytest.mark.parametrize(("family", "decoding"), WAYS)
def test_threads_that_share_a_decoder_find_what_each_finds_alone(toy_data_bin, family, decoding, written):
    decoder = make_decoder(toy_data_bin, family, decoding)
    del written[:]  # while it was made
    languages = decoder.choose_languages(None, None)
    jobs = [partial(outcomes, decoder, [line] * 2, [languages] * 2) for line in LINES]
    alone = [job() for job in jobs]
    assert len(set(map(repr, alone))) == len(LINES)
    assert in_lockstep(jobs) == alone
    assert written == []


def test_threads_that_translate_into_several_languages_keep_to_theirs(two_target_data_bin):
    decoder = make_decoder(two_target_data_bin, "hmst_aed_tiny", "joint")
    french, german = (decoder.choose_languages(None, language) for language in ("fr", "de"))
    jobs = [partial(outcomes, decoder, [LINES[0]], [languages]) for languages in (french, german, french)]
    alone = [job() for job in jobs]
    assert alone[0] != alone[1]
    assert in_lockstep(jobs) == alone


def test_threads_that_share_a_generator_have_searches_of_their_own(toy_task):
    """Diverse beams note in fairseq's search what they have in common."""
    model = shaken_model(toy_task, "hmst_aed_tiny")
    options = GenerationConfig(beam=4, diverse_beam_groups=2, diverse_beam_strength=2.0, max_len_b=10)
    generator = toy_task.build_generator([model], options)

    def decode(rows):
        batch = batch_of(toy_task, rows) | {"id": torch.arange(len(rows))}  # fairseq counts on ids from 0 on here
        found = toy_task.inference_step(generator, [model], batch)
        return [[each["tokens"].tolist() for each in hypotheses] for hypotheses in found]

    jobs = [partial(decode, rows) for rows in ([0, 1, 2], [3, 4, 5], [6, 7, 8])]
    alone = [job() for job in jobs]
    assert in_lockstep(jobs) == alone


def test_aligning_leaves_nothing_in_the_model_that_another_thread_could_read(toy_task, written):
    model = shaken_model(toy_task, "hmst_aed_tiny")
    start = torch.tensor([toy_task.target_dictionary.eos()])
    del written[:]
    align([model], "attention", torch.tensor([5, 6, 7, 8, 2]), torch.tensor([5, 6, 7, 4]), start)
    assert written == []


def test_threads_that_translate_recordings_at_once_find_what_each_finds_alone(translator, monkeypatch):
    """Without the turns that a Translator's threads take to spare the processor."""
    monkeypatch.setattr(OpenModel, "computing", lambda self: contextlib.nullcontext())
    jobs = [partial(translator.translate, PROMPTS[number : number + 2], nbest=3) for number in range(4)]
    alone = [job() for job in jobs]
    assert in_lockstep(jobs) == alone
