"""Rows that serve translation alone, as external text: a pair of plain files for each pair of languages."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from ...files.manifest import Utterance
from ...files.text import normalise_text


def write_parallel_text(folder: Path, name: str, rows: Iterable[Utterance]) -> None:
    """Write NAME.SRC-TGT.SRC and NAME.SRC-TGT.TGT, line n of one the translation of line n of the other; no pair twice.

    They are what `binarize --mt-text` takes.
    """
    pairs: defaultdict[tuple[str, str], dict[tuple[str, str], None]] = defaultdict(dict)
    for row in rows:
        pairs[row.src_lang, row.tgt_lang][normalise_text(row.src_text), normalise_text(row.tgt_text)] = None
    for languages, texts in pairs.items():
        for language, lines in zip(languages, zip(*texts, strict=True), strict=True):
            path = folder / f"{name}.{'-'.join(languages)}.{language}"
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
