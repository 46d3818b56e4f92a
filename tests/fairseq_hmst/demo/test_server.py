"""The page's server: whom it answers, how much it takes, and what it leaves on the disk."""

import base64
import html
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("gradio", reason="needs the extra [demo]")

import httpx
import soundfile
from prompt_models import PROMPTS

from fairseq_hmst.demo.options import DemoOptions
from fairseq_hmst.demo.page import build_page, serve
from fairseq_hmst.demo.recordings_folder import recordings_folder
from fairseq_hmst.live import LiveTranslator
from fairseq_hmst.live.options import LiveOptions

MAX_MEGABYTES, MAX_CHARACTERS = 0.05, 50
JOIN = "/gradio_api/queue/join"
UPLOAD = "/gradio_api/upload"

FOREIGN = (
    {"Host": "evil.example"},
    {"Host": "localhost.evil.example:80"},
    {"Host": "10.0.0.1"},
    {"Host": "127.0.0.1:7860@evil.example"},
    {"X-Forwarded-Host": "evil.example"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:3000"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"},
)
OWN = (
    {"Host": "localhost:9999"},
    {"Host": "[::1]:80"},
    {"Host": "demo.example", "Origin": "https://demo.example"},
    {"Origin": "https://demo.example"},  # a proxy that names this server's own address
    {"Host": "LOCALHOST:1", "Origin": "http://localhost:1"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"},
)


@pytest.fixture(scope="module")
def folder():
    with recordings_folder(600) as folder:
        yield folder


@pytest.fixture(scope="module")
def client(translator, folder):
    """Of a server that takes little."""
    options = DemoOptions(
        max_megabytes=MAX_MEGABYTES, max_characters=MAX_CHARACTERS, allow_host=("demo.example",), max_minutes=0.5
    )
    page = build_page(translator, options)
    address = serve(page, options, (), folder)
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client
    page.close(verbose=False)


def recording(content=None):
    return {"files": ("prompt.ogg", PROMPTS[0].read_bytes() if content is None else content)}


def function_number(client, name):
    return next(each["id"] for each in client.get("/config").json()["dependencies"] if each["api_name"] == name)


def ask(client, name, data, session="s"):
    """The outputs of a function of the page, through the queue as a browser asks for them."""
    body = {"data": data, "fn_index": function_number(client, name), "session_hash": session}
    client.post(JOIN, json=body).raise_for_status()
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as lines:
        for line in lines.iter_lines():
            if line.startswith("data:"):
                message = json.loads(line[5:])
                if message["msg"] == "process_completed":
                    return message["output"]
    raise AssertionError("no answer")


def translate_text(client, text, session="s"):
    output = ask(client, "on_text", [text, None, None, 1], session)["data"][1]
    return re.sub("<[^>]*>", "", output if isinstance(output, str) else output["value"])


@pytest.mark.parametrize("headers", FOREIGN)
def test_foreign_names_and_pages_are_refused_on_every_route(client, headers):
    for path in (
        "/",
        "/config",
        "/theme.css",
        "/gradio_api/file=/etc/hostname",
        "/gradio_api/queue/data",
        JOIN,
        UPLOAD,
    ):
        for method in ("GET", "POST", "HEAD", "DELETE"):
            response = client.request(method, path, headers=headers)
            assert response.status_code == 403, (method, path)
            assert method == "HEAD" or re.search("not served under the name|are not answered", response.text)


@pytest.mark.parametrize("headers", OWN)
def test_own_names_pages_and_visits_by_a_link_are_let_in(client, headers):
    response = client.get("/config", headers=headers)
    assert response.status_code == 200
    assert "frame-ancestors 'self'" in response.headers["content-security-policy"]


def test_a_foreign_page_is_not_told_that_it_may_ask(client):
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    response = client.options(JOIN, headers=headers)
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    "path",
    ["/docs", "/gradio_api/proxy=http://x", "/gradio_api/component_server", "/gradio_api/vibe-code", "/monitoring"],
)
def test_routes_that_the_page_does_not_use_are_closed(client, path):
    assert client.get(path).status_code == client.post(path).status_code == 404


def test_nothing_is_fetched_from_elsewhere(client):
    assert client.get("/gradio_api/file=http://localhost/x.wav").status_code == 403
    data = [{"path": "http://localhost/x.wav", "meta": {"_type": "gradio.FileData"}}, None, None, 1]
    body = {"data": data, "fn_index": function_number(client, "on_recording"), "session_hash": "elsewhere"}
    response = client.post(JOIN, json=body)
    assert (response.status_code, response.text) == (403, "This page fetches nothing from elsewhere.")


def test_a_file_of_the_server_is_no_recording(client, tmp_path):
    (tmp_path / "secret.wav").write_bytes(b"secret")
    data = [{"path": str(tmp_path / "secret.wav"), "meta": {"_type": "gradio.FileData"}}, None, None, 1]
    output = ask(client, "on_recording", data, "secret")
    assert "secret" not in json.dumps(output).replace("secret.wav", "")
    assert client.get(f"/gradio_api/file={tmp_path / 'secret.wav'}").status_code == 403


def test_a_recording_is_taken_and_a_larger_file_is_not(client, folder):
    path = client.post(UPLOAD, files=recording()).json()[0]
    assert path.startswith(str(folder))
    output = ask(client, "on_recording", [{"path": path, "meta": {"_type": "gradio.FileData"}}, None, None, 1])
    assert "hmst-text" in json.dumps(output)
    before = sorted(folder.rglob("*"))
    for size in (int(1e6 * MAX_MEGABYTES) + 1, 2_000_000):
        response = client.post(UPLOAD, files=recording(b"x" * size))
        assert response.status_code == 413, size
    assert sorted(folder.rglob("*")) == before


def test_an_upload_that_does_not_say_its_length_is_refused(client):
    response = client.post(UPLOAD, content=iter([b"x" * 1000] * 3), headers={"Content-Type": "multipart/form-data"})
    assert response.status_code == 411


def test_no_more_recordings_than_there_is_room_for(client, folder, monkeypatch):
    monkeypatch.setattr("fairseq_hmst.demo.page.MAX_FILES", 0)
    response = client.post(UPLOAD, files=recording())
    assert response.status_code == 507
    assert "too many recordings" in response.text


def test_a_long_text_is_refused_in_words_and_holds_nobody(client):
    begin = time.perf_counter()
    words = translate_text(client, "word " * 600_000)
    assert f"3000000 characters, and this page takes at most {MAX_CHARACTERS}" in words
    assert time.perf_counter() - begin < 20
    assert client.post(JOIN, content=b"x" * 9_000_000).status_code == 413


def test_several_users_at_once_have_their_own_answers(client, translator):
    lines = ["Friday at two.", "please enter your password", "hello", "you have one message"]
    expected = [translator.translate_text(line, nbest=1).text for line in lines]
    assert len(set(expected)) > 1
    found = {}

    def use(number):
        found[number] = translate_text(client, lines[number], f"user {number}")

    threads = [threading.Thread(target=use, args=(number,)) for number in range(len(lines))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, text in enumerate(expected):
        assert " ".join(text.split()) in " ".join(found[number].split())


def speak(client, path, session):
    """The text of a recording that is sent in three pieces."""
    samples, rate = soundfile.read(path, dtype="int16")
    size = len(samples) // 3 + 1
    starts = range(0, len(samples), size)
    for start in starts:
        sound = base64.b64encode(samples[start : start + size].astype("<i2").tobytes()).decode()
        piece = {"number": start, "rate": rate, "samples": sound, "first": start == 0, "last": start == starts[-1]}
        _, text, reply = ask(client, "on_piece", [None, piece, None, None], session)["data"]
        assert reply == {"number": start, "over": piece["last"], "words": ""}
    return html.unescape(re.sub("<[^>]*>", "", text if isinstance(text, str) else text["value"]))


def test_visitors_who_speak_at_once_have_their_own_translations(client, translator):
    def translation(path):
        samples, rate = soundfile.read(path, dtype="int16")
        live = LiveTranslator(translator.model, LiveOptions(sampling_rate=rate))
        live.feed(samples)
        live.finish()
        return live.text

    expected = [translation(path) for path in PROMPTS[:2]]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda path: speak(client, path, path.stem), PROMPTS[:2]))
    assert found == expected
    assert len(set(expected)) == 2
    assert speak(client, PROMPTS[1], PROMPTS[0].stem) == expected[1]  # another recording of the first


def test_with_logins_nothing_is_answered_without_one(translator, folder, tmp_path):
    (tmp_path / "logins").write_text("ann:secret\n")
    (tmp_path / "logins").chmod(0o600)
    options = DemoOptions(auth=tmp_path / "logins")
    page = build_page(translator, options)
    address = serve(page, options, (), folder)
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as stranger:
        assert stranger.post(UPLOAD, files=recording()).status_code == 401
        assert stranger.get("/config").status_code == 401
        assert stranger.post(JOIN, json={"data": [], "fn_index": 0, "session_hash": "s"}).status_code == 401
        assert "fn_index" not in stranger.get("/").text
        assert stranger.post("/login", data={"username": "ann", "password": "wrong"}).status_code == 400
        assert stranger.post("/login", data={"username": "ann", "password": "secret"}).status_code == 200
        assert translate_text(stranger, "hello")
    page.close(verbose=False)
