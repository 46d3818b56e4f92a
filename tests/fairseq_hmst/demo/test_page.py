"""The page in a browser without a screen: a recorded prompt becomes its translation, and faults become words."""

import shutil
from pathlib import Path

import pytest

gradio = pytest.importorskip("gradio", reason="needs the extra [demo]")
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

import torch  # noqa: E402
from prompt_models import RECORDINGS, make_prompt_data_bin  # noqa: E402
from toy import build_model, build_task  # noqa: E402

from fairseq_hmst.demo.command import main  # noqa: E402
from fairseq_hmst.demo.options import DemoOptions  # noqa: E402
from fairseq_hmst.demo.page import UNEXPECTED, build_page, respond, serve  # noqa: E402
from fairseq_hmst.demo.showing import show_error  # noqa: E402
from fairseq_hmst.export import export  # noqa: E402
from fairseq_hmst.translate import Translator  # noqa: E402

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 1}
SMALL["source_ctc_layer"] = 1
PROMPT = RECORDINGS / "vm-intro.ogg"
ANSWER = ".hmst-text:visible"
ERROR = ".hmst-error:visible"


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    """Of a model that has learned nothing."""
    folder = tmp_path_factory.mktemp("demo")
    task = build_task(make_prompt_data_bin(folder))
    weights = build_model(task, "hmst_ctc_attention_tiny", **SMALL).state_dict()
    checkpoint = {"cfg": {"model": {"_name": "hmst_ctc_attention", **SMALL}}, "model": weights}
    torch.save(checkpoint | {"task_state": task.state_dict()}, folder / "checkpoint.pt")
    export([[folder / "checkpoint.pt"]], task.data_bin.path, folder / "model")
    return Translator.from_pretrained(folder / "model")


@pytest.fixture(scope="module")
def address(translator):
    page = build_page(translator, max_seconds=20.0)
    yield serve(page, DemoOptions())
    page.close()


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"needs one of the browsers {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    """The page, opened anew; fails if it calls another host."""
    page = browser.new_page()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    page.wait_for_selector("#recording input[type=file]", state="attached")
    yield page
    page.close()
    assert [url for url in requests if not url.startswith((address, "data:", "blob:"))] == []


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
    assert page.get_by_text(segment.transcript or "(no words)", exact=True).count() >= 1
    box = page.locator(".hmst-lines").bounding_box()
    page.locator(".hmst-slider input").fill("1000")
    assert page.locator(".hmst-lines").bounding_box()["width"] > 1.5 * box["width"]


def test_a_file_that_is_no_sound_is_refused_in_words(page, tmp_path):
    (tmp_path / "letter.wav").write_text("Dear page, I am no sound.\n" * 40)
    upload(page, tmp_path / "letter.wav")
    assert "letter.wav: not audio" in page.inner_text(ERROR)
    assert "Traceback" not in page.content() and str(tmp_path) not in page.inner_text(ERROR)


def test_written_text_is_translated(page, translator):
    page.get_by_role("tab", name="Text").click()
    page.fill("#text textarea", "Please enter your password.")
    page.get_by_role("button", name="Translate").click()
    expected = translator.translate_text(["Please enter your password."])[0].text
    assert words(page, ANSWER) == expected.split()


def test_an_error_that_nobody_foresaw_is_logged_and_shown_without_its_stack(caplog):
    answer, text, _, detail = respond(None, lambda choices: 1 / 0, (None, None, 5))
    assert (answer, text, detail) == (None, show_error(UNEXPECTED), "")
    assert "ZeroDivisionError" in caplog.text


def test_what_is_no_model_is_refused(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert f"error: {tmp_path}" in capsys.readouterr().err


def test_a_port_in_use_is_refused(translator, address, capsys):
    port = address.rstrip("/").rsplit(":", 1)[1]
    assert main([str(translator.folder.path), "--port", port]) == 1
    assert port in capsys.readouterr().err
