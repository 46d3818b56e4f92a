"""The page in a browser without a screen: a recorded prompt becomes its translation, and faults become words."""

import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

gradio = pytest.importorskip("gradio", reason="needs the extra [demo]")
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from prompt_models import RECORDINGS, make_prompt_data_bin  # noqa: E402
from toy import build_model, build_task  # noqa: E402

from fairseq_hmst.demo.answers import Answer, Choices  # noqa: E402
from fairseq_hmst.demo.command import main  # noqa: E402
from fairseq_hmst.demo.live.streams import Streams  # noqa: E402
from fairseq_hmst.demo.options import DemoOptions  # noqa: E402
from fairseq_hmst.demo.page import build_page, respond, serve, show_detail  # noqa: E402
from fairseq_hmst.demo.recordings_folder import recordings_folder  # noqa: E402
from fairseq_hmst.demo.showing import UNEXPECTED, show_error  # noqa: E402
from fairseq_hmst.export import ExportOptions, export  # noqa: E402
from fairseq_hmst.translate import Segment, Translation, Translator  # noqa: E402
from fairseq_hmst.translate.formats import as_srt  # noqa: E402

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 1}
SMALL["source_ctc_layer"] = 1
PROMPT, OTHER_PROMPT = RECORDINGS / "vm-intro.ogg", RECORDINGS / "activated.ogg"
OPTIONS = DemoOptions(max_minutes=1 / 3, max_megabytes=0.5)
ANSWER = ".hmst-text:visible"
ERROR = ".hmst-error:visible"
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")  # which beeps once a second


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    """Of a model that has learned nothing."""
    folder = tmp_path_factory.mktemp("demo")
    task = build_task(make_prompt_data_bin(folder))
    weights = build_model(task, "hmst_ctc_attention_tiny", **SMALL).state_dict()
    checkpoint = {"cfg": {"model": {"_name": "hmst_ctc_attention", **SMALL}}, "model": weights}
    torch.save(checkpoint | {"task_state": task.state_dict()}, folder / "checkpoint.pt")
    export(
        [[folder / "checkpoint.pt"]],
        task.data_bin.path,
        folder / "model",
        ExportOptions(examples=(PROMPT, OTHER_PROMPT)),
    )
    return Translator.from_pretrained(folder / "model")


@pytest.fixture(scope="module")
def folder():
    with recordings_folder(600) as folder:
        yield folder


@pytest.fixture(scope="module")
def blocks(translator, folder):
    blocks = build_page(translator, OPTIONS)
    yield blocks
    blocks.close()


@pytest.fixture(scope="module")
def address(blocks, translator, folder):
    return serve(blocks, OPTIONS, translator.folder.examples, folder)


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"needs one of the browsers {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", *MICROPHONE])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    """The page, opened anew; fails if it calls another host."""
    page = browser.new_page()
    requests, refused = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: refused.append(message.text) if "Security Policy" in message.text else None)
    page.goto(address)
    page.wait_for_selector("#recording input[type=file]", state="attached")
    yield page
    page.close()
    assert [url for url in requests if not url.startswith((address, "data:", "blob:"))] == []
    assert refused == []


def upload(page, path: Path) -> None:
    page.set_input_files("#recording input[type=file]", path)


def words(page, selector: str) -> list[str]:
    """A browser shows several spaces as one."""
    return page.inner_text(selector).split()


def test_an_uploaded_prompt_is_translated(page, translator):
    upload(page, PROMPT)
    expected = translator.translate([PROMPT])[0]
    assert expected.text
    assert words(page, ANSWER) == expected.text.split()
    page.wait_for_selector(".hmst-wave polygon", state="attached")
    (segment,) = expected.segments
    assert page.locator(".hmst-units .hmst-box").count() == len(segment.units)
    assert page.locator(".hmst-names .hmst-token").count() == len(segment.nbest[0].tokens)
    assert page.locator(".hmst-nbest .hmst-number").count() == 5
    assert segment.transcript in page.inner_text(".hmst-heard")
    assert page.locator(".hmst-head").count() == 3


def test_an_example_is_translated_by_a_click(page, translator):
    page.get_by_role("button", name="Example: activated").click()
    assert words(page, ANSWER) == translator.translate([OTHER_PROMPT])[0].text.split()


def test_the_examples_alone_may_be_read_where_they_are(blocks, address, translator):
    assert blocks.allowed_paths == [str(path) for path in translator.folder.examples] != []


def test_the_picture_fits_can_be_zoomed_and_plays_from_where_one_clicks(page):
    upload(page, OTHER_PROMPT)
    lines, place = page.locator(".hmst-lines"), page.locator(".hmst-scroll")
    page.wait_for_function("document.querySelector('.hmst-picture audio')?.duration > 0")
    assert lines.bounding_box()["width"] == place.bounding_box()["width"]
    page.locator(".hmst-zoom input").fill("2")
    assert lines.bounding_box()["width"] == pytest.approx(2 * place.bounding_box()["width"])
    assert page.evaluate("document.querySelector('.hmst-scroll').scrollLeft") > 0  # the middle stays
    page.evaluate(
        "document.querySelector('.hmst-picture audio').play = function() { this.played_from = this.currentTime }"
    )
    place.click()  # in its middle, which is that of the line
    share = page.evaluate(
        "(audio => audio.played_from / audio.duration)(document.querySelector('.hmst-picture audio'))"
    )
    assert share == pytest.approx(0.5, abs=0.01)


def test_the_answer_is_copied_and_downloaded(page, translator):
    upload(page, OTHER_PROMPT)
    page.wait_for_selector(ANSWER)
    page.context.grant_permissions(["clipboard-read"])
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()").split() == words(page, ANSWER)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download SRT").click()
    assert download.value.suggested_filename == "activated.srt"
    subtitles = Path(download.value.path()).read_text(encoding="utf-8")
    assert subtitles == as_srt(translator.translate([OTHER_PROMPT])[0]) + "\n"


def test_a_file_that_is_no_sound_is_refused_in_words(page, tmp_path):
    (tmp_path / "letter.wav").write_text("Dear page, I am no sound.\n" * 40)
    upload(page, tmp_path / "letter.wav")
    assert "letter.wav: not audio" in page.inner_text(ERROR)
    assert "Traceback" not in page.content() and str(tmp_path) not in page.inner_text(ERROR)


def test_what_the_model_is_stands_behind_a_click(page):
    assert page.get_by_text("joint CTC and attention").count() == 0
    page.get_by_role("button", name="About this model").click()
    page.get_by_text("joint CTC and attention").wait_for()
    assert page.get_by_text("English → French").count() == 1


def test_written_text_is_translated(page, translator):
    page.get_by_role("tab", name="Text").click()
    page.fill("#text textarea", "Please enter your password.")
    page.get_by_role("button", name="Translate").click()
    expected = translator.translate_text(["Please enter your password."])[0].text
    assert words(page, ANSWER) == expected.split()


def test_no_sound_of_the_microphone_is_lost_however_slow_the_page_is(page, monkeypatch):
    heard, hear = [], Streams.hear

    def slow(*arguments):
        heard.append(arguments[2])
        time.sleep(0.4)
        return hear(*arguments)

    monkeypatch.setattr(Streams, "hear", slow)
    page.get_by_role("tab", name="Live").click()
    page.get_by_role("button", name="Record").click()
    page.get_by_role("button", name="Stop").wait_for()
    begin = time.perf_counter()
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Stop").click()
    seconds = time.perf_counter() - begin
    page.locator(".hmst-record:not([disabled])").wait_for()
    assert [piece.is_first for piece in heard] == [True] + [False] * (len(heard) - 1)
    assert [piece.is_last for piece in heard] == [False] * (len(heard) - 1) + [True]
    assert len(heard) > 2
    assert sum(len(piece.samples) / piece.rate for piece in heard) == pytest.approx(seconds, abs=0.3)
    assert max(np.abs(piece.samples).max(initial=0) for piece in heard) > 1000
    assert "Speak for up to" in page.inner_text(".hmst-recorder [role=status]")
    assert page.locator(ERROR).count() == 0


def test_a_text_that_is_too_long_is_refused_in_words(page):
    page.get_by_role("tab", name="Text").click()
    page.fill("#text textarea", "word " * 1000)
    page.get_by_role("button", name="Translate").click()
    assert "5000 characters, and this page takes at most 1000" in page.inner_text(ERROR)


def test_a_file_that_is_too_large_is_refused_in_words(page, tmp_path):
    (tmp_path / "large.wav").write_bytes(bytes(600_000))
    upload(page, tmp_path / "large.wav")
    page.get_by_text("maximum").or_(page.get_by_text("too large")).first.wait_for()


def test_words_of_a_card_load_nothing_and_run_nothing(browser, translator, folder, monkeypatch):
    picture = "http://elsewhere.example/a.png"
    hostile = f"![x]({picture})<img src='{picture}' onerror='window.taken=1'><script>window.taken=1</script>"
    hostile += "${window.taken=1}{{window.taken=1}}"
    monkeypatch.setattr("fairseq_hmst.demo.languages.language_name", lambda code: hostile)
    monkeypatch.setattr("fairseq_hmst.demo.language_fields.language_name", lambda code: hostile)
    blocks = build_page(translator, OPTIONS)
    page = browser.new_page()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(serve(blocks, OPTIONS, translator.folder.examples, folder))
    page.get_by_role("button", name="About this model").click()
    page.get_by_role("cell", name=hostile).first.wait_for()
    assert page.inner_text(".hmst-title p") == f"{hostile} → {hostile}"
    assert page.evaluate("window.taken") is None
    assert [url for url in requests if "elsewhere" in url] == []
    page.close()
    blocks.close()


def test_an_error_that_nobody_foresaw_is_logged_and_shown_without_its_stack(caplog):
    answer, text, _, detail = respond(lambda choices: 1 / 0, (None, None, 5))
    assert (answer, text, detail) == (None, show_error(UNEXPECTED), "")
    assert "ZeroDivisionError" in caplog.text


def test_a_segment_that_cannot_be_shown_leaves_the_answer_alone(caplog):
    answer = Answer(Translation("two cats", (Segment(None, None, ()),)), Choices())
    assert show_detail(None, answer, 0) == show_error(UNEXPECTED)
    assert show_detail(None, None, 0) == show_detail(None, replace(answer, translation=Translation("")), 0) == ""


def test_what_is_no_model_is_refused(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert f"error: {tmp_path}" in capsys.readouterr().err


def test_a_port_in_use_is_refused(translator, address, capsys):
    port = address.rstrip("/").rsplit(":", 1)[1]
    assert main([str(translator.folder.path), "--port", port]) == 1
    assert port in capsys.readouterr().err
