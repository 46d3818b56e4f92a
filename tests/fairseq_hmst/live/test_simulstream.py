"""The speech processor by simulstream's own commands: its inference, its server and its client."""

import asyncio
import json
import logging
import socket
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import simulstream.inference
import soundfile
import yaml
from prompt_models import PROMPTS, make_prompt_data_bin, random_checkpoint
from simulstream.client.wav_reader_client import stream_wav_files
from simulstream.config import yaml_config
from simulstream.metrics.logger import METRICS_LOGGER
from simulstream.server import websocket_server
from simulstream.server.speech_processors import build_speech_processor, speech_processor_class_load
from simulstream.server.speech_processors.incremental_output import merge_incremental_outputs
from toy import REPOSITORY

from fairseq_hmst.export import export
from fairseq_hmst.live import LiveTranslator
from fairseq_hmst.live.processor_config import ProcessorConfig
from fairseq_hmst.live.simulstream import HmstSpeechProcessor
from fairseq_hmst.score.command import main as score
from preprocess.errors import OptionError
from preprocess.speech.audio import load_audio

TYPE = "fairseq_hmst.live.simulstream.HmstSpeechProcessor"
CHUNK = 0.4  # seconds
OPTIONS = {"beam": 1, "max_segment_seconds": 4}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A model from English into French and Spanish with random weights, two recordings, and configurations."""
    folder = tmp_path_factory.mktemp("simulstream")
    data_bin = make_prompt_data_bin(folder, targets=("fr", "es"))
    export([[random_checkpoint(folder / "random.pt", data_bin, "hmst_ctc")]], data_bin, folder / "model")
    for name, prompts in {"one": PROMPTS[:2], "two": PROMPTS[2:3]}.items():
        soundfile.write(folder / f"{name}.wav", np.concatenate([load_audio(path) for path in prompts]), 16000)
    (folder / "list.txt").write_text("one.wav\ntwo.wav\n")
    config = {"type": TYPE, "model": str(folder / "model"), "speech_chunk_size": CHUNK, "threads": 1, **OPTIONS}
    (folder / "hmst.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.fixture
def processor(place) -> HmstSpeechProcessor:
    return build_speech_processor(yaml_config(place / "hmst.yaml"))


@pytest.fixture(autouse=True)
def metrics_log(caplog):
    """Log as simulstream's commands do in a process of their own; the file is closed after a test."""
    caplog.set_level(logging.INFO, METRICS_LOGGER.name)
    yield
    for handler in METRICS_LOGGER.handlers[:]:
        METRICS_LOGGER.removeHandler(handler)
        handler.close()


def chunks_of(path: Path) -> list[np.ndarray]:
    samples = soundfile.read(path, dtype="float32")[0]
    size = int(CHUNK * 16000)
    return [samples[start : start + size] for start in range(0, len(samples), size)]


def texts_of(processor, chunks):
    """Text that was written, and the tokens, with the end of the stream."""
    outputs = [*map(processor.process_chunk, chunks), processor.end_of_stream()]
    assert not any(output.deleted_tokens or output.deleted_string for output in outputs)
    return "".join(output.new_string for output in outputs), [
        token for output in outputs for token in output.new_tokens
    ]


def log_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def run_inference(place: Path, log: Path, monkeypatch, *more: str) -> None:
    words = ["--speech-processor-config", place / "hmst.yaml", "--wav-list-file", place / "list.txt"]
    words += ["--metrics-log-file", log, "--tgt-lang", "es", *more]
    monkeypatch.setattr("sys.argv", ["simulstream_inference", *map(str, words)])
    simulstream.inference.cli_main()


def test_the_text_is_that_of_a_live_translator_and_the_tokens_are_that_text(place, processor):
    expected = LiveTranslator.from_pretrained(
        place / "model", threads=1, chunk_seconds=CHUNK, target_language="es", **OPTIONS
    )
    for chunk in chunks_of(place / "one.wav"):
        expected.feed(chunk)
    expected.finish()
    assert len(expected.text.split()) > 3
    processor.set_target_language("es")
    text, tokens = texts_of(processor, chunks_of(place / "one.wav"))
    assert text == expected.text
    assert processor.tokens_to_string(tokens) == text
    outputs = [processor.process_chunk(chunk) for chunk in chunks_of(place / "one.wav")]
    merged = merge_incremental_outputs([*outputs, processor.end_of_stream()], processor.tokens_to_string)
    assert merged.new_string == text


def test_a_cleared_processor_begins_another_stream_with_the_languages_of_its_configuration(place):
    config = yaml_config(place / "hmst.yaml")
    config.target_language = "fr"
    processor = build_speech_processor(config)
    chunks = chunks_of(place / "two.wav")
    expected = texts_of(processor, chunks)
    processor.set_target_language("es")
    assert texts_of(processor, chunks) != expected
    processor.process_chunk(chunks[0])
    processor.clear()
    assert texts_of(processor, chunks) == expected


def test_processors_share_one_model(processor, place):
    assert build_speech_processor(yaml_config(place / "hmst.yaml"))._model is processor._model


def test_languages_may_have_a_region_and_unknown_ones_are_refused(processor):
    processor.set_target_language("es-ES")
    processor.set_source_language("en")
    assert processor._chosen_languages == {"target_language": "es", "source_language": "en"}
    with pytest.raises(OptionError, match="target_language must be one of es, fr, got 'de'"):
        processor.set_target_language("de")
    with pytest.raises(OptionError, match="source_language must be one of en, got 'fr'"):
        processor.set_source_language("fr")


def test_the_log_of_simulstreams_inference_is_scored(place, tmp_path, monkeypatch, capsys):
    run_inference(place, tmp_path / "log.jsonl", monkeypatch)
    texts: dict[int, str] = {}
    for line in log_of(tmp_path / "log.jsonl"):
        if "generated_tokens" in line:
            texts[line["id"]] = texts.get(line["id"], "") + "".join(line["generated_tokens"]).replace("▁", " ")
    assert len(texts) == 2
    segments = [
        {"wav": name, "offset": 0.0, "duration": soundfile.info(place / name).duration}
        for name in ("one.wav", "two.wav")
    ]
    (tmp_path / "ref.yaml").write_text(yaml.safe_dump(segments))
    (tmp_path / "ref.txt").write_text("\n".join(texts.values()) + "\n")
    command = ["--live", tmp_path / "log.jsonl", "--references", tmp_path / "ref.yaml", tmp_path / "ref.txt"]
    assert score([*map(str, command), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["recordings"], found["bleu"]) == (2, pytest.approx(100))
    assert found["computation_aware_long_yaal"] > found["long_yaal"]


def test_simulstreams_server_writes_what_its_inference_writes(place, tmp_path, monkeypatch):
    run_inference(place, tmp_path / "expected.jsonl", monkeypatch)
    asyncio.run(serve_recordings(place, tmp_path / "log.jsonl"))
    expected, found = (
        [line for line in log_of(tmp_path / name) if line.keys() != {"model_loading_time"}]
        for name in ("expected.jsonl", "log.jsonl")
    )
    assert [line.get("metadata") for line in found] == [line.get("metadata") for line in expected]
    # its client sends the last piece twice: the last update of each recording differs
    ends = [number - 1 for number, line in enumerate([*expected, {"metadata": {}}]) if "metadata" in line]
    alike = [number for number in range(len(expected)) if number not in ends]
    assert len(alike) > 5
    for key in ("total_audio_processed", "generated_tokens"):
        assert [found[number].get(key) for number in alike] == [expected[number].get(key) for number in alike]


async def serve_recordings(place: Path, log: Path) -> None:
    """Send both recordings to simulstream's server by its client."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    metrics = {"enabled": True, "filename": str(log)}
    server = {"hostname": "127.0.0.1", "port": port, "pool_size": 1, "acquire_timeout": 20, "metrics": metrics}
    (place / "server.yaml").write_text(yaml.safe_dump(server))
    options = Namespace(server_config=place / "server.yaml", speech_processor_config=place / "hmst.yaml")
    serving = asyncio.create_task(websocket_server.main(options))
    recordings = [str(place / name) for name in ("one.wav", "two.wav")]
    try:
        while not serving.done():
            try:
                await stream_wav_files(f"ws://127.0.0.1:{port}/", recordings, tgt_lang="es")
                return
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
        serving.result()
    finally:
        serving.cancel()


def test_the_example_names_the_class_and_known_keys():
    config = yaml_config(REPOSITORY / "examples" / "live" / "hmst.yaml")
    assert speech_processor_class_load(config.type) is HmstSpeechProcessor
    assert ProcessorConfig.read(config).options.chunk == config.speech_chunk_size


def test_keys_are_options_of_live_translation_and_of_the_machine():
    found = ProcessorConfig.read(
        SimpleNamespace(
            type=TYPE,
            model="m",
            encoder="e",
            speech_chunk_size=1,
            policy="agreement",
            threads=2,
            encoder_left_seconds=4,
        )
    )
    assert (found.model, found.encoder, found.machine.threads) == ("m", "e", 2)
    assert (found.options.chunk, found.options.policy, found.options.window.left_seconds) == (1, "agreement", 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beem": 5}, "beem is no key of a speech processor; there are type, speech_chunk_size, model, .*beam, "),
        ({"chunk_seconds": 1}, "chunk_seconds is no key"),
        ({"sampling_rate": 8000}, "sampling_rate is no key"),
        ({"beam": "five"}, "beam is of another kind: Expected `int | null`, got `str`"),
        ({"model": None}, "model must be given"),
        ({"speech_chunk_size": None}, "speech_chunk_size must be given"),
        ({"speech_chunk_size": 0.001}, "chunk_seconds must lie in 0.02..30, got 0.001"),
        ({"encoder_left_seconds": 90}, "encoder_left_seconds must lie in"),
        ({"device": "abacus"}, "device abacus: cannot be used here"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(changes, message):
    values = {"type": TYPE, "model": "m", "speech_chunk_size": 0.5, **changes}
    config = SimpleNamespace(**{name: value for name, value in values.items() if value is not None})
    with pytest.raises(OptionError, match=message):
        HmstSpeechProcessor.load_model(config)
