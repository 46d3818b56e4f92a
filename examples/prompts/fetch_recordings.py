"""Makes `recordings/` from unpacked Debian packages; run once, its result is stored with the project.

    for package in asterisk-core-sounds-en asterisk-core-sounds-en-wav asterisk-core-sounds-fr asterisk-core-sounds-es
    do apt-get download $package && dpkg -x ${package}_*.deb packages; done
    python fetch_recordings.py packages recordings

Every English recording of speech of at most 10 s becomes an Ogg Opus file, and its text and translations a line
of texts.tsv, worded as the packages have them. Tones, noises, silence and longer demonstrations are left out.
"""

import argparse
import gzip
import re
from pathlib import Path

import soundfile

LANGUAGES = ("en", "fr", "es")
LONGEST_SECONDS = 10.0
# libsndfile maps 0..1 to Opus bit rates; 0.95 gives about 25 kbit/s, transparent for 8 kHz speech.
COMPRESSION_LEVEL = 0.95
NOT_SPEECH = re.compile(r"^[\[(<].*[\])>]$")


def read_texts(packages: Path, language: str) -> dict[str, str]:
    """Texts by recording id; where a package names an id twice, the first is kept and the second reported."""
    name = f"asterisk-core-sounds-{language}"
    path = packages / "usr/share/doc" / name / f"core-sounds-{language}.txt.gz"
    texts: dict[str, str] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            recording, colon, text = line.partition(":")
            if line.startswith(";") or not colon:
                continue
            if recording in texts:
                print(f"{path}:{number}: '{recording}' has a text already, left out: {text.strip()}")
                continue
            texts[recording] = text.strip()
    return texts


def write_licence(packages: Path, path: Path) -> None:
    """Copies the CC-BY-SA 3.0 text out of the Debian copyright file, without that format's indentation."""
    copyright_text = (packages / "usr/share/doc/asterisk-core-sounds-en/copyright").read_text(encoding="utf-8")
    start = copyright_text.index("License: CC-BY-SA-3.0\n THE WORK")
    end = copyright_text.index("License: CC-BY-3.0\n", start)
    lines = copyright_text[start:end].splitlines()[1:]
    body = "\n".join("" if line.strip() == "." else line.removeprefix(" ") for line in lines).strip()
    title = "Creative Commons Attribution-ShareAlike 3.0\nhttps://creativecommons.org/licenses/by-sa/3.0/\n\n"
    path.write_text(title + body + "\n", encoding="utf-8")


def main() -> None:
    """Writes the compressed recordings, texts.tsv and LICENSE into the folder given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", type=Path, help="folder into which the four packages were unpacked")
    parser.add_argument("out", type=Path, help="folder to write")
    arguments = parser.parse_args()

    sounds = arguments.packages / "usr/share/asterisk/sounds/en_US_f_Allison"
    texts = {language: read_texts(arguments.packages, language) for language in LANGUAGES}
    rows = ["\t".join(("id", *LANGUAGES))]
    for recording in sorted(texts["en"]):
        source = sounds / f"{recording}.wav"
        if not source.exists() or NOT_SPEECH.match(texts["en"][recording]):
            continue
        samples, rate = soundfile.read(source, dtype="int16")
        if len(samples) > LONGEST_SECONDS * rate:
            continue
        target = arguments.out / f"{recording}.ogg"
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, samples, rate, format="OGG", subtype="OPUS", compression_level=COMPRESSION_LEVEL)
        rows.append("\t".join((recording, *(texts[language].get(recording, "") for language in LANGUAGES))))
    (arguments.out / "texts.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    write_licence(arguments.packages, arguments.out / "LICENSE")
    print(f"{len(rows) - 1} recordings in {arguments.out}")


if __name__ == "__main__":
    main()
