"""The page: well-formed, by itself, with all pictures and with every text escaped."""

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from preprocess.report.figures.data_bin_figures import DataBinFigures
from preprocess.report.figures.warnings.checks import Outcome, describe_example
from preprocess.report.figures.warnings.warning import DataWarning, NotChecked, WarnedExample
from preprocess.report.page import markup
from preprocess.report.page.charts import draw_charts
from preprocess.report.page.page import make_page

VOID = {"meta", "br", "img", "link"}


class Checker(HTMLParser):
    """Collects tags and ids, and fails on an element that is not closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.addresses += [value for name, value in attrs if name in ("href", "src", "xlink:href", "data", "srcset")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


@pytest.fixture(scope="module")
def page(report_folder: Path) -> str:
    return (report_folder / "index.html").read_text(encoding="utf-8")


def test_the_page_needs_no_other_file_and_no_network(page: str):
    checker = check(page)
    assert not {"script", "link", "iframe", "object", "img"} & set(checker.tags)
    assert checker.addresses
    assert all(address.startswith("#") for address in checker.addresses)
    assert not re.search(r"url\((?!#)|@import", page)
    assert "default-src 'none'" in page


def test_ids_are_unique_and_all_that_are_referred_to_exist(page: str):
    checker = check(page)
    assert len(set(checker.ids)) == len(checker.ids)
    referred = {address.removeprefix("#") for address in checker.addresses} | set(re.findall(r"url\(#([^)]*)\)", page))
    assert referred <= set(checker.ids)


def test_every_picture_is_there_once_and_follows_the_style_sheet(page: str, described: DataBinFigures):
    pictures = re.findall(r"<svg .*?</svg>", page, flags=re.DOTALL)
    names = set(draw_charts(described))
    assert names == {"units", "runs", "pairs", "ratios", "factors", "ctc", "lengths-st", "lengths-mt", "seconds"}
    assert len(pictures) == len(names)
    for picture in pictures:
        assert "aria-label" in picture[:300]
        colours = set(re.findall(r"#[0-9a-fA-F]{6}\b", picture))
        assert not colours, f"colours of its own: {colours}"
    style = page[page.index("<style>") : page.index("</style>")]
    variables = set(re.findall(r"var\((--[a-z-]+)\)", page))
    for mode in style.split("prefers-color-scheme: dark"):
        assert variables <= set(re.findall(r"(--[a-z-]+):", mode))


def test_the_page_says_what_the_figures_say(page: str, described: DataBinFigures):
    text = re.sub(r"<[^>]*>", " ", page)
    assert described.repeat_factors is not None
    assert described.repeat_factors.advice in text
    assert described.signature in text
    assert f"{described.units['train'].used} of {described.num_units}" in text
    for example in described.examples:
        assert page.count('class="piece') > len(example.source)
    assert "mt.en mt.fr" in text


def test_warnings_come_first_with_their_examples(page: str, described: DataBinFigures):
    text = unescape(page)
    assert described.checks.warnings
    for warning in described.checks.warnings:
        assert page.index("<h2>") < text.index(warning.text) < text.index("Streams and lengths")
        assert all(describe_example(example) in text for example in warning.examples)
    page = make_page(replace(described, checks=Outcome((), ())), {})
    assert "<h2>No warnings</h2>" in page


def test_seconds_and_speakers_have_pictures_and_tables(faulty: Path, faulty_figures: object):
    page = (faulty / "report" / "index.html").read_text(encoding="utf-8")
    check(page)
    assert "Speakers by the number of their examples in each split" in page
    assert "<td>valid</td><td>2</td><td>1</td><td>2.5</td><td>4</td>" in page  # s0 of train once, d four times


def test_two_runs_give_the_same_page(corpus: Path, report_folder: Path, tmp_path: Path, inspect):
    inspect(corpus / "data-bin", tmp_path / "again")
    for name in ("index.html", "report.json"):
        assert (tmp_path / "again" / name).read_bytes() == (report_folder / name).read_bytes()


def test_texts_are_escaped(described: DataBinFigures):
    evil = "<script>alert('&')</script>"
    example = replace(described.examples[0], source_text=evil, target=[evil], split=evil, id=evil)
    warned = WarnedExample(evil, evil, 0, evil, evil)
    checks = Outcome((DataWarning(evil, evil, evil, 1, (warned,)),), (NotChecked(evil, evil),))
    page = make_page(replace(described, examples=[example], signature=evil, data_bin=evil, checks=checks), {})
    check(page)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<b>" not in markup.table(["<b>"], [["<b>", "x"]]) + markup.paragraph("<b>") + markup.pieces(["<b>"])


def test_a_space_within_a_piece_can_be_seen():
    assert markup.pieces(["▁dog", [7, 11]]).count("<span") == 2
    assert ">␣dog<" in markup.pieces(["▁dog"])
    assert ">7 11<" in markup.pieces([[7, 11]])
