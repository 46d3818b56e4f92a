"""A corpus of noise with made-up sentences, and a recipe for it."""

from pathlib import Path

import numpy as np
import soundfile

RECIPE = """\
out: out
manifest:
  corpus: tsv
  root: corpus
  src-lang: en
  tgt_lang: fr        # underscores and dashes are the same
kmeans: {extractor: mfcc, clusters: 6, portion: 1.0}
subwords: {unit-vocab: 8, source-vocab: 13, target-vocab: 13}
binarize:
  repeat: 2
  mt-text: [mt.en, mt.fr]
"""


def write_corpus(folder: Path) -> None:
    """Write train.tsv, dev.tsv, test.tsv and their audio, half a second of noise each."""
    (folder / "audio").mkdir(parents=True)
    random = np.random.default_rng(0)
    for split, count in {"train": 8, "dev": 2, "test": 2}.items():
        rows = ["id\taudio\tsrc_text\ttgt_text\n"]
        for index in range(count):
            name = f"{split}{index}"
            soundfile.write(folder / "audio" / f"{name}.wav", 0.1 * random.standard_normal(8000), 16000)
            rows.append(
                f"{name}\taudio/{name}.wav\tthe cat {'sat ' * (index % 3)}on it\tle chat {'dort ' * index}ici\n"
            )
        (folder / f"{split}.tsv").write_text("".join(rows), encoding="utf-8")
