"""LiveTranslator: what it commits, when, and that it agrees with translating recordings."""

import threading
from pathlib import Path

import numpy as np
import pytest
from fairseq.sequence_generator import SequenceGenerator
from prompt_models import FAMILIES, PROMPTS, make_prompt_data_bin, random_checkpoint

from fairseq_hmst.export import export
from fairseq_hmst.live import LiveTranslator
from fairseq_hmst.live.options import LiveOptions
from fairseq_hmst.live.policies.table import DECODINGS
from fairseq_hmst.live.written_text import WrittenText
from fairseq_hmst.tasks.hmst_translation import HmstTranslationTask
from fairseq_hmst.translate import TranslationError, Translator
from preprocess.errors import OptionError
from preprocess.speech.audio import load_audio

RATE = 16_000


@pytest.fixture(scope="module", autouse=True)
def short_outputs():
    """Random attention decoders write until they may no longer: here until they have written 12 labels."""
    build = HmstTranslationTask.build_generator

    def build_short(*arguments: object, **options: object) -> object:
        generator = build(*arguments, **options)
        if isinstance(generator, SequenceGenerator):
            generator.max_len_b = 12
        return generator

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HmstTranslationTask, "build_generator", build_short)
        yield


@pytest.fixture(scope="module")
def folders(prompt_data_bin, tmp_path_factory):
    """A model folder of each family, with random weights; do not change them."""
    folder = tmp_path_factory.mktemp("families")
    for family in FAMILIES:
        export(
            [[random_checkpoint(folder / f"{family}.pt", prompt_data_bin, family)]], prompt_data_bin, folder / family
        )
    return {family: folder / family for family in FAMILIES}


@pytest.fixture(scope="module")
def models(folders):
    """The same, open."""
    return {family: Translator.from_pretrained(folder).model for family, folder in folders.items()}


@pytest.fixture(scope="module")
def two_target_folder(tmp_path_factory):
    """Makes a model folder of a family, from English into French and Spanish."""
    folder = tmp_path_factory.mktemp("two_targets")
    data_bin = make_prompt_data_bin(folder, targets=("fr", "es"))

    def make(family: str) -> Path:
        export([[random_checkpoint(folder / f"{family}.pt", data_bin, family)]], data_bin, folder / family)
        return folder / family

    return make


@pytest.fixture
def live(models):
    """Makes a LiveTranslator of a family."""

    def make(family: str = "hmst_ctc", **options: object) -> LiveTranslator:
        return LiveTranslator(models[family], LiveOptions().changed({"beam": 2, **options}))

    return make


def pieces_of(samples, size):
    return [samples[start : start + size] for start in range(0, len(samples), size)]


def hear(translator, samples, size=8000):
    return [translator.feed(piece) for piece in pieces_of(samples, size)] + [translator.finish()]


CASES = [
    (family, decoding)
    for family, decodings in {
        "hmst_aed": ["attention"],
        "hmst_ctc": ["ctc"],
        "hmst_transducer": ["transducer"],
        "hmst_ctc_attention": ["joint", "ctc"],
    }.items()
    for decoding in decodings
]


@pytest.mark.parametrize(("family", "decoding"), CASES)
@pytest.mark.parametrize("rate", [16_000, 8000])
def test_waiting_for_the_end_gives_the_translation_of_the_recording(
    family, decoding, rate, live, models, stream, monkeypatch
):
    samples = stream[:: RATE // rate][: 2 * rate]
    translator = live(family, decoding=decoding, policy="wait", sampling_rate=rate)
    written, end_segment = [], WrittenText.end_segment
    monkeypatch.setattr(
        WrittenText,
        "end_segment",
        lambda text, passage: (written.append(passage.labels), end_segment(text, passage)),
    )
    *updates, last = hear(translator, samples, 777)
    assert all(update.committed == update.open == "" for update in updates)
    expected = Translator(models[family], translator._translator.options).translate(samples, sampling_rate=rate)
    assert last.committed == translator.text == expected.text != ""
    assert written == [segment.nbest[0].tokens for segment in expected.segments]


@pytest.mark.parametrize("family", ["hmst_aed", "hmst_ctc_attention"])
def test_a_model_with_language_symbols_translates_into_the_chosen_language(family, two_target_folder, stream):
    model = Translator.from_pretrained(two_target_folder(family)).model
    for language in ("fr", "es"):
        options = {"beam": 2, "target_language": language}
        translator = LiveTranslator(model, LiveOptions().changed({**options, "chunk_seconds": 0.7}))
        *updates, last = hear(translator, stream[: 2 * RATE])
        assert "".join(update.committed for update in [*updates, last]) == translator.text != ""
        assert translator._languages["target"] == language
        waiting = LiveTranslator(model, LiveOptions().changed({**options, "policy": "wait"}))
        expected = Translator(model, waiting._translator.options).translate(stream[: 2 * RATE], sampling_rate=RATE)
        assert hear(waiting, stream[: 2 * RATE])[-1].committed == expected.text
    with pytest.raises(OptionError, match="target_language de: the data-bin has es, fr"):
        LiveTranslator(model, LiveOptions(target_language="de"))


def test_waiting_cuts_a_long_recording_as_recordings_are_cut(live, models, stream):
    translator = live(policy="wait", max_segment_seconds=2)
    expected = Translator(models["hmst_ctc"], translator._translator.options).translate(stream, sampling_rate=RATE)
    assert hear(translator, stream)[-1].committed == expected.text
    assert len(expected.segments) > 2


@pytest.mark.parametrize("family", FAMILIES)
def test_a_short_stream_of_which_nothing_was_certain_is_translated_as_a_recording(family, live, models):
    samples = load_audio(PROMPTS[0])
    translator = live(family, chunk_seconds=30)
    expected = Translator(models[family], translator._translator.options).translate(samples, sampling_rate=RATE)
    assert hear(translator, samples)[-1].committed == expected.text != ""


@pytest.mark.parametrize(
    ("decoding", "policy"),
    [(decoding, policy) for policy, decodings in DECODINGS.items() for decoding in decodings if policy != "wait"],
)
def test_every_policy_commits_and_never_takes_back(decoding, policy, live, stream):
    family = next(family for family, name in reversed(CASES) if name == decoding)
    translator = live(family, decoding=decoding, policy=policy, chunk_seconds=0.7)
    updates = hear(translator, stream[: 3 * RATE])
    text = ""
    for update in updates:
        text += update.committed
        assert (text + update.open).startswith(text)
    assert text == translator.text != ""
    assert updates[-1].open == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_is_certain_within_the_look_ahead(family, live, stream):
    speech = stream[: round(1.2 * RATE)]

    def commits(look_ahead):
        updates = hear(live(family, chunk_seconds=0.3, look_ahead_seconds=look_ahead), speech, 4800)
        return [update.heard_seconds for update in updates[:-1] if update.committed]

    assert commits(1.2) == []
    assert commits(0.0) != []


@pytest.mark.parametrize("family", FAMILIES)
def test_pieces_of_any_size_give_the_same_commits_at_the_same_decision_points(family, live, stream):
    translator, samples = live(family, chunk_seconds=0.25, look_ahead_seconds=0.3), stream[: round(3.3 * RATE)]

    def commits(size):
        found, heard = {}, 0.0
        for update in hear(translator, samples, size):
            heard = update.heard_seconds
            if update.committed:
                found[int(heard / 0.25 + 1e-6)] = update.committed
        return found, translator.text

    expected = commits(4000)
    assert len(expected[0]) > 3
    assert commits(160) == expected
    assert commits(799)[1] == expected[1]
    assert commits(len(samples))[1] == expected[1]


def test_two_streams_at_once_are_what_each_is_alone(live, stream):
    others = [stream[::-1].copy(), stream]
    alone = []
    for samples in others:
        translator = live()
        alone.append([update.committed for update in hear(translator, samples)])
    first = live()
    translators = [first, first.another()]
    found = [[], []]
    for pair in zip(*(pieces_of(samples, 8000) for samples in others), strict=True):
        for index, piece in enumerate(pair):
            found[index].append(translators[index].feed(piece).committed)
    for index, translator in enumerate(translators):
        found[index].append(translator.finish().committed)
    assert found == alone and alone[0] != alone[1]


def test_threads_with_a_stream_each_do_not_mix_them(live, stream):
    first = live()
    hear(first, stream)
    expected, texts = first.text, {}

    def work(number):
        translator = first.another()
        hear(translator, stream)
        texts[number] = translator.text

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(texts.values()) == [expected] * 3


def test_a_translator_is_ready_for_another_stream_when_one_has_ended(live, stream):
    translator = live()
    first = [update.committed for update in hear(translator, stream)]
    text = translator.text
    assert [update.committed for update in hear(translator, stream)] == first
    assert translator.text == text
    assert translator.finish().committed == ""


@pytest.mark.parametrize(
    "samples",
    [np.zeros(RATE, np.float32), np.zeros(3, np.float32), np.zeros(0, np.float32)],
    ids=["silence", "three samples", "nothing"],
)
@pytest.mark.parametrize("policy", [None, "wait"])
def test_a_stream_in_which_nothing_is_said_has_no_translation(samples, policy, live):
    translator = live(policy=policy)
    updates = hear(translator, samples, 160)
    if policy is None or len(samples) < 400:
        assert [update for update in updates if update.committed or update.open] == []
    assert updates[-1].heard_seconds == len(samples) / RATE


def test_silence_and_clicks_between_sentences_change_nothing(live, stream):
    translator = live()
    hear(translator, stream)
    expected = translator.text
    silence = np.zeros(20 * RATE, np.float32)
    silence[5 * RATE : 5 * RATE + 200] = 0.5  # before anything was said, so that the thresholds are as they were
    hear(translator, np.concatenate([np.zeros(2 * RATE, np.float32), stream]))
    later = translator.text
    hear(translator, np.concatenate([silence, np.zeros(2 * RATE, np.float32), stream]))
    assert translator.text == later != ""
    assert expected != ""


def test_a_stream_that_ends_inside_a_word_is_translated_to_its_end(live, stream):
    translator = live()
    *_, last = hear(translator, stream[: round(1.03 * RATE)])
    assert last.committed and last.open == ""


def test_a_piece_with_nan_is_refused_and_the_rest_is_as_if_it_had_not_been(live, stream):
    translator = live()
    expected = [update.committed for update in hear(translator, stream)]
    bad = stream[:8000].copy()
    bad[100] = np.nan
    found = []
    for number, piece in enumerate(pieces_of(stream, 8000)):
        if number in (0, 5):
            with pytest.raises(TranslationError, match=f"the sound from {number / 2:.3f} s on: 1 samples are NaN"):
                translator.feed(bad)
        found.append(translator.feed(piece).committed)
    assert [*found, translator.finish().committed] == expected


def test_a_long_segment_without_pauses_is_cut_and_nothing_is_kept_of_it(live):
    speech = np.concatenate([load_audio(path) for path in PROMPTS[:6]])
    speech = speech[np.abs(speech) > 0.003][: 12 * RATE]  # no pause is left
    translator = live(max_segment_seconds=2)
    for piece in pieces_of(speech, 8000):
        translator.feed(piece)
        assert translator._sound.end - translator._sound._begin <= 4 * RATE
        segment = translator._segment
        assert segment is None or segment.end - segment.begin <= 2.5 * RATE
    assert translator.finish().committed


def test_options_that_do_not_fit_are_refused(live, models):
    for options, message in (
        ({"policy": "alignatt"}, "alignatt cannot be used with decoding ctc"),
        ({"policy": "agreement", "look_ahead_seconds": 0.2}, "look_ahead_seconds 0.2 has no effect"),
        ({"policy": "wait", "chunk_seconds": 0.2}, "chunk_seconds 0.2 has no effect"),
        ({"encoder_left_seconds": 4.0}, "encoder_left_seconds"),
        ({"chunk_seconds": 0.001}, "chunk_seconds must lie in"),
        ({"pause_seconds": 50.0}, "pause_seconds must lie in"),
        ({"sampling_rate": 3}, "sampling_rate"),
    ):
        with pytest.raises(OptionError, match=message):
            live(**options)
    with pytest.raises(TypeError, match="unknown option 'chunk'.*chunk_seconds"):
        live(chunk=1)


def test_from_pretrained_opens_a_folder(folders, stream):
    translator = LiveTranslator.from_pretrained(folders["hmst_ctc"], chunk_seconds=1.0, beam=1)
    assert translator.policy == "look-ahead"
    hear(translator, stream[:RATE])
    assert translator.text
