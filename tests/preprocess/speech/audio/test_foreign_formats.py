import gzip
import importlib.util
import io
import shlex
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from preprocess.errors import AudioError
from preprocess.speech.audio import AudioContent, check_audio, load_audio
from preprocess.speech.audio.foreign_formats import find_foreign

NOISE = np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8).tobytes()
TONE = (0.5 * np.sin(np.arange(8000) / 10)).astype(np.float32)
ID3 = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
SHORTEN = b"NIST_1A\n   1024\nsample_count -i 48000\nsample_coding -s26 ulaw,embedded-shorten-v2.00\nend_head\n"


def wav(**options: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, TONE, 16_000, format="WAV", **options)
    return file.getvalue()


def ogg_page(packet: bytes) -> bytes:
    return b"OggS\0\2" + bytes(20) + b"\1" + bytes([len(packet)]) + packet


def archive(kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "tar":
        with tarfile.open(fileobj=file, mode="w") as tar:
            tar.addfile(tarfile.TarInfo("x.wav"))
    else:
        with zipfile.ZipFile(file, "w") as zipped:
            zipped.writestr("x.wav", wav())
    return file.getvalue()


KINDS = {
    "x.m4a": (bytes.fromhex("0000001c") + b"ftypM4A \0\0\2\0" + NOISE, "an MPEG-4 file", "ffmpeg -i {} "),
    "x.webm": (
        bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d") + NOISE,
        "WebM",
        "ffmpeg -i {} ",
    ),
    "x.wma": (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + NOISE, "a Windows Media file", "ffmpeg -i {} "),
    "x.amr": (b"#!AMR\n" + NOISE, "an AMR file", "ffmpeg -i {} "),
    "x.awb": (b"#!AMR-WB\n" + NOISE, "an AMR file", "ffmpeg -i {} "),
    "x.aac": (b"\xff\xf1\x50\x80" + NOISE, "an AAC file", "ffmpeg -i {} "),
    "tagged.aac": (ID3 + b"\xff\xf1\x50\x80" + NOISE, "an AAC file", "ffmpeg -i {} "),
    "x.spx": (ogg_page(b"Speex   1.2rc1" + bytes(66)) + NOISE, "a Speex file", "ffmpeg -i {} "),
    "x.ac3": (b"\x0bw" + NOISE, "an AC-3 file", "ffmpeg -i {} "),
    "x.ape": (b"MAC \x96\x0f" + NOISE, "a Monkey's Audio file", "ffmpeg -i {} "),
    "x.wv": (b"wvpk" + NOISE, "a WavPack file", "ffmpeg -i {} "),
    "x.tta": (b"TTA1" + NOISE, "a True Audio file", "ffmpeg -i {} "),
    "x.mpc": (b"MPCK" + NOISE, "a Musepack file", "ffmpeg -i {} "),
    "x.dsf": (b"DSD \x1c" + NOISE, "a DSD file", "ffmpeg -i {} "),
    "x.dff": (b"FRM8" + NOISE, "a DSD file", "ffmpeg -i {} "),
    "x.ts": (b"\x47" + bytes(187) + b"\x47" + bytes(187) + b"\x47" + NOISE, "transport stream", "ffmpeg -i {} "),
    "x.sph": (SHORTEN.ljust(1024) + b"ajkg\2" + NOISE, "a NIST SPHERE file in a codec", "sph2pipe -f wav {} "),
    "x.wav.gz": (gzip.compress(wav()), "packed by gzip", "gzip -dc {} > "),
    "packed.wav": (gzip.compress(wav()), "packed by gzip", "gzip -dc {} > "),
    "x.zip": (archive("zip"), "a zip file", "unzip {}"),
    "x.tar": (archive("tar"), "a tar file", "tar -xf {}"),
    "page.mp3": (b"\n<!DOCTYPE html><html>" + b"abc " * 500, "not audio but a page of HTML", "download it again"),
    "page.au": (b"<html>" + b"abc " * 500, "not audio but a page of HTML", "download it again"),
    "fault.wav": (b'{"error": "no such file"}', "not audio but JSON", "download it again"),
    "lfs.wav": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "pointer of Git LFS",
        "git lfs pull",
    ),
    "text.flac": ("Grüße an alle ".encode() * 900, "not audio but text, which begins 'Grüße an alle", "leave it out"),
    "zeros.mp3": (bytes(9000), "its first 4096 bytes are all zero", "download it again"),
    "x.raw": (NOISE, "without a header (.raw)", "ffmpeg -f s16le -ar 16000 -ac 1 -i {} "),
    "x.pcm": (NOISE, "without a header (.pcm)", "ffmpeg -f s16le -ar 16000 -ac 1 -i {} "),
    "x.VOX": (NOISE, "without a header (.vox)", "sox -r 8000 {} "),
    "x.au": (NOISE, "without a header (.au)", "ffmpeg -f s16le -ar 16000 -ac 1 -i {} "),
    "x.wav": (wav().replace(b"fmt \x10\0\0\0\1\0", b"fmt \x10\0\0\0\x61\1"), "a WAV file in a codec", "ffmpeg -i {} "),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_another_kind_is_told_with_what_to_do(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)  # PyAV would try to read it
    content, found, advice = KINDS[name]
    path = tmp_path / f"it's {name}"
    path.write_bytes(content)
    for audio in (path, AudioContent(str(path), content)):
        with pytest.raises(AudioError) as raised:
            check_audio(audio)
        assert raised.value.places == (str(path),)
        assert found in raised.value.found
        assert advice.format(shlex.quote(str(path))) in raised.value.advice
    if advice.endswith(" "):  # what is made is another file
        made = shlex.split(raised.value.advice.replace(",", " "))
        assert Path(made[-1] if made[-1] != "rate" else made[made.index(str(path)) + 1]) != path


def test_bytes_of_no_kind_keep_the_plain_message(tmp_path: Path):
    path = tmp_path / "x.wav"
    path.write_bytes(b"\x90" + NOISE)
    with pytest.raises(AudioError, match=r"x.wav: not audio, corrupt or cut short \(Format not recognised\.\)$"):
        load_audio(path)


@pytest.mark.parametrize("name", ["x.raw", "x.RAW", "x.vox", "x.gsm", "x.m4a"])
def test_a_wav_is_read_whatever_its_name(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(wav(subtype="FLOAT"))
    assert np.array_equal(load_audio(tmp_path / name), TONE)


def test_nothing_that_libsndfile_writes_is_foreign():
    for container in soundfile.available_formats().keys() - {"SD2"}:  # of which a part goes into a file of its own
        for subtype in soundfile.available_subtypes(container):
            file = io.BytesIO()
            try:
                soundfile.write(file, TONE, 8000, format=container, subtype=subtype)
            except (soundfile.LibsndfileError, TypeError, ValueError):
                continue
            if container != "RAW":
                assert find_foreign(file) is None, (container, subtype)
