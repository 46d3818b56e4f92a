"""Kinds of files that libsndfile does not read, told by their first bytes; and what to do with them."""

import codecs
import io
import shlex
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

from ...errors import AudioError

START_BYTES = 4096
SHOWN_CHARACTERS = 40
PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
CONVERT = "ffmpeg -i {file} {flac}"
SPH2PIPE = "sph2pipe -f wav {file} {wav}"
DOWNLOAD = "download it again: a server sends such a page where there is no file, or one must log in"
# of a file without a header, by its suffix; numbers that only its maker knows
HEADERLESS = {
    ".raw": "ffmpeg -f s16le -ar 16000 -ac 1 -i {file} {flac}, with its own form (s16le, mulaw, f32le) and rate",
    ".vox": "sox -r 8000 {file} {wav}",
    ".gsm": "sox {file} {wav}",
}
HEADERLESS |= dict.fromkeys((".pcm", ".sln", ".ul", ".ulaw", ".al", ".alaw", ".au", ".snd"), HEADERLESS[".raw"])


@dataclass(frozen=True)
class ForeignFormat:
    """A kind of file that libsndfile does not read.

    Attributes:
        found: what it is, as an error says it.
        advice: what to do; {file}, {flac}, {wav}, {unpacked} are names for a shell: the file, and what is made of it.
        demuxer: FFmpeg's reader of it; "": none.
    """

    found: str
    advice: str
    demuxer: str = ""

    def error(self, file_name: str) -> AudioError:
        """The error of a file of this kind, without a place.

        Args:
            file_name: its path, for the commands.
        """
        advice = self.advice_for(file_name)
        if self.demuxer:
            advice = f"pip install 'fairseq_hmst[formats]' to have it read, or convert it: {advice}"
        return AudioError(self.found, advice=advice)

    def advice_for(self, file_name: str) -> str:
        """The advice with the names of a file and of what is made of it."""
        return self.advice.format(
            file=_shell_word(file_name),
            flac=_shell_word(_with_suffix(file_name, ".flac")),
            wav=_shell_word(_with_suffix(file_name, ".wav")),
            unpacked=_shell_word(_unpacked(file_name)),
        )


def _audio(name: str, demuxer: str, advice: str = CONVERT) -> ForeignFormat:
    return ForeignFormat(f"{name}, which libsndfile does not read", advice, demuxer)


def _packed(name: str, advice: str) -> ForeignFormat:
    return ForeignFormat(f"{name}, expected the audio itself", f"unpack it: {advice}")


def _no_audio(name: str, advice: str = "leave it out") -> ForeignFormat:
    return ForeignFormat(f"not audio but {name}", advice)


MPEG_4 = _audio("an MPEG-4 file (m4a, mp4, mov, 3gp)", "mov")
ADTS = _audio("an AAC file (ADTS)", "aac")
TRANSPORT_STREAM = _audio("an MPEG transport stream", "mpegts")
SPHERE = _audio("a NIST SPHERE file in a codec", "", SPH2PIPE)
# what libsndfile knows by its container but not by its codec
CONTAINERS_OF_MANY = {
    b"RIFF": _audio("a WAV file in a codec", "wav"),
    b"riff": _audio("a Wave64 file in a codec", "w64"),
    b"FORM": _audio("an AIFF file in a codec", "aiff"),
    b"caff": _audio("a CAF file in a codec", "caf"),
}
CODECS_IN_OGG = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC")  # those that are read
PCM_IN_WAV = (b"", b"\1\0", b"\3\0", b"\xfe\xff")  # integer, float, either

# offset in the file (after an ID3 tag) and the bytes that are there -> its kind
SIGNATURES: dict[tuple[int, bytes], ForeignFormat] = {
    **{(4, box): MPEG_4 for box in (b"ftyp", b"moov", b"mdat", b"wide", b"pnot")},
    (0, b"\x1aE\xdf\xa3"): _audio("a WebM or Matroska file", "matroska"),
    (0, bytes.fromhex("3026b2758e66cf11")): _audio("a Windows Media file (wma, asf)", "asf"),
    (0, b"#!AMR"): _audio("an AMR file", "amr"),
    (0, b"\x0bw"): _audio("an AC-3 file", "ac3"),
    (0, b"\x7f\xfe\x80\x01"): _audio("a DTS file", "dts"),
    (0, b"MAC "): _audio("a Monkey's Audio file (ape)", "ape"),
    (0, b"wvpk"): _audio("a WavPack file", "wv"),
    (0, b"TTA1"): _audio("a True Audio file (tta)", "tta"),
    (0, b"tBaK"): _audio("a TAK file", "tak"),
    (0, b"MPCK"): _audio("a Musepack file", "mpc8"),
    (0, b"MP+"): _audio("a Musepack file", "mpc"),
    (0, b"DSD "): _audio("a DSD file (dsf)", "dsf"),
    (0, b"FRM8"): _audio("a DSD file (dff)", "iff"),
    (0, b"ajkg"): _audio("a Shorten file", "shn"),
    (0, b"FLV\x01"): _audio("a Flash video", "flv"),
    (8, b"AVI LIST"): _audio("an AVI video", "avi"),
    (0, b"\0\0\1\xba"): _audio("an MPEG video", "mpeg"),
    (0, b".RMF"): _audio("a RealMedia file", "rm"),
    (28, b"Speex   "): _audio("a Speex file", "ogg"),
    (28, b"\x80theora"): _audio("an Ogg video", "ogg"),
    **{(at, b"#!SILK_V3"): _audio("a SILK file", "", "convert it by a decoder of SILK") for at in (0, 1)},
    (0, b"\x1f\x8b"): _packed("packed by gzip", "gzip -dc {file} > {unpacked}"),
    (0, b"BZh"): _packed("packed by bzip2", "bzip2 -dc {file} > {unpacked}"),
    (0, b"\xfd7zXZ\0"): _packed("packed by xz", "xz -dc {file} > {unpacked}"),
    (0, b"(\xb5/\xfd"): _packed("packed by zstd", "zstd -dc {file} > {unpacked}"),
    (0, b"PK\3\4"): _packed("a zip file", "unzip {file}"),
    (0, b"7z\xbc\xaf\x27\x1c"): _packed("a 7z file", "7z x {file}"),
    (0, b"Rar!"): _packed("a rar file", "unrar x {file}"),
    (257, b"ustar"): _packed("a tar file", "tar -xf {file}"),
    (0, b"MThd"): _no_audio("a MIDI file: notes"),
    (0, b"%PDF"): _no_audio("a PDF"),
    (0, b"\x89PNG"): _no_audio("a picture"),
    (0, b"\xff\xd8\xff"): _no_audio("a picture"),
    (0, b"version https://git-lfs"): _no_audio("a pointer of Git LFS to it", "git lfs pull"),
    (0, b"/annex/objects/"): _no_audio("a pointer of git-annex to it", "git annex get {file}"),
}
# begin of a text, without white space and in small letters -> its kind
TEXTS = {
    b"<!doctype html": _no_audio("a page of HTML", DOWNLOAD),
    b"<html": _no_audio("a page of HTML", DOWNLOAD),
    b"<?xml": _no_audio("XML", DOWNLOAD),
    b"<error": _no_audio("XML", DOWNLOAD),
    b'{"': _no_audio("JSON", DOWNLOAD),
}


def find_foreign(file: BinaryIO | io.BytesIO) -> ForeignFormat | None:
    """The kind of a file, if its first bytes say that libsndfile does not read it; None where it may."""
    start = _read(file, 0)
    if start.startswith(b"NIST_1A"):
        return SPHERE if _is_coded_sphere(start) else None
    if start.startswith(b"ID3"):
        size = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(start[6:10], (21, 14, 7, 0), strict=False))
        start = _read(file, size)
    if start.startswith(b"OggS") and any(codec in start for codec in CODECS_IN_OGG):
        return None
    for (offset, signature), kind in SIGNATURES.items():
        if start.startswith(signature, offset):
            return kind
    if len(start) > 1 and start[0] == 0xFF and start[1] & 0xF6 == 0xF0:  # a sync word, and layer 0
        return ADTS
    if len(start) > 376 and start[0] == start[188] == start[376] == 0x47:
        return TRANSPORT_STREAM
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((kind for begin, kind in TEXTS.items() if text.startswith(begin)), None)


def find_unknown_codec(file: BinaryIO | io.BytesIO) -> ForeignFormat | None:
    """The kind of a file whose codec libsndfile does not know, it says; None where the header may be broken instead."""
    start = _read(file, 0)
    codec = start.partition(b"fmt ")[2][4:6]
    return None if start.startswith(b"RIFF") and codec in PCM_IN_WAV else CONTAINERS_OF_MANY.get(start[:4])


def find_headerless(file: BinaryIO | io.BytesIO, file_name: str) -> ForeignFormat | None:
    """The kind of a file that begins as none that anybody knows: text, or samples without a header; None: neither."""
    start = _read(file, 0)
    if shown := _as_text(start):
        return ForeignFormat(f"not audio but text, which begins '{shown}'", "leave it out")
    if not start.strip(b"\0"):
        return ForeignFormat(f"not audio: its first {len(start)} bytes are all zero", "download it again")
    suffix = PurePath(file_name).suffix.lower()
    if suffix in HEADERLESS:
        return ForeignFormat(
            f"without a header ({suffix}), so that its form and sampling rate are not known",
            f"give it one: {HEADERLESS[suffix]}",
        )
    return None


def _read(file: BinaryIO | io.BytesIO, offset: int) -> bytes:
    file.seek(offset)
    return file.read(START_BYTES)


def _is_coded_sphere(header: bytes) -> bool:
    coding = header.partition(b"\nsample_coding ")[2].partition(b"\n")[0]
    return b"embedded" in coding or b"shorten" in coding or b"wavpack" in coding


def _as_text(start: bytes) -> str:
    """Its begin in one line, if all of it is text; "" otherwise."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start)  # its last character may be cut
    except UnicodeDecodeError:
        return ""
    if not all(character.isprintable() or character in "\t\r\n\f\ufeff" for character in text):
        return ""
    return " ".join(text.split())[:SHOWN_CHARACTERS]


def _shell_word(name: str) -> str:
    """A name as a shell takes it, also where it begins like an option."""
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


def _with_suffix(name: str, suffix: str) -> str:
    path = PurePath(name)
    if not path.name:
        return f"audio{suffix}"
    return str(path.with_suffix(f".new{suffix}" if path.suffix == suffix else suffix))


def _unpacked(name: str) -> str:
    path = PurePath(name)
    if not path.name or path.suffix in PACKED_SUFFIXES:
        return str(path.with_suffix("")) if path.name else "audio"
    return str(path.with_suffix(f".unpacked{path.suffix}"))
