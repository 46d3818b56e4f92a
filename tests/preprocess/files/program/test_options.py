import argparse
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from preprocess.files.program.options import add_options, option, read_options


@dataclass(frozen=True)
class Inner:
    """Options of a part."""

    device: str = option("torch device", "cpu")
    count: int = option("number of workers", 1, flag="workers", metavar="N")
    languages: str = option("of the text", "", metavar="XX", group="text")


@dataclass(frozen=True)
class Outer:
    """Options of a command."""

    out: Path = option("folder to write")
    portion: float = option("of the frames, 0 to 1; 100 % is 1", 0.1)
    layer: int | None = option("default: the last", None)
    texts: tuple[Path, ...] = option("files", (), metavar="FILE", group="text")
    kind: str = option("what to make", "plain", choices=("plain", "fancy"))
    keep: bool = option("keep all", False)
    inner: Inner = field(default_factory=Inner)
    speeds: tuple[float, ...] = option("of the speech", (1.0,), metavar="SPEED", has_commas=True)


def parse(*words: str) -> Outer:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_options(parser, Outer)
    return read_options(Outer, parser.parse_args(list(words)))


def test_defaults_of_the_class_are_those_of_the_command():
    assert parse("--out", "x") == Outer(Path("x"))


def test_each_kind_of_option_is_read():
    found = parse(*"--out x --portion 0.5 --layer 3 --texts a b --kind fancy --keep --device cuda --workers 4".split())
    assert found == Outer(Path("x"), 0.5, 3, (Path("a"), Path("b")), "fancy", True, Inner("cuda", 4))


@pytest.mark.parametrize("words", ["0.9,1,1.1", "0.9 1 1.1", "0.9,1 1.1", ".9,1.0,1.10"])
def test_a_list_may_have_commas(words: str):
    assert parse("--out", "x", "--speeds", *words.split()).speeds == (0.9, 1.0, 1.1)


@pytest.mark.parametrize("word", ["0.9,,1", "0.9,1.1x", "0.9;1"])
def test_a_number_of_a_list_that_is_none_is_named(word: str):
    with pytest.raises(argparse.ArgumentError, match=r"argument --speeds: invalid float value: '(|1\.1x|0\.9;1)'"):
        parse("--out", "x", "--speeds", word)


@pytest.mark.parametrize("words", ["", "--out x --kind other", "--out x --portion much", "--out x --texts"])
def test_what_does_not_fit_is_refused(words: str):
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        parse(*words.split())


def test_the_help_gives_meaning_and_default():
    parser = argparse.ArgumentParser()
    add_options(parser, Outer)
    text = " ".join(parser.format_help().split())
    assert "of the frames, 0 to 1; 100 % is 1; default 0.1" in text
    assert "number of workers; default 1" in text
    assert "of the speech; default 1 " in text
    assert "--layer LAYER default: the last --" in text
    assert "text: --texts FILE [FILE ...] files --languages XX of the text" in text  # one heading for both classes
    assert not text.endswith("default")
