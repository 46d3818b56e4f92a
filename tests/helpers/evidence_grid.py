"""A small grid of the evidence example, and its modules on the path of a test."""

from pathlib import Path

import pytest
from toy import REPOSITORY

EXAMPLE = REPOSITORY / "examples" / "evidence"
GRID = """\
out: out
prepare: python examples/evidence/corpora/announcements.py --train 60 --text 80 --dev 12 --test 12 --out {out}/corpus
recipe: RECIPE
set:
  manifest.root: "{out}/corpus/{target}"
  manifest.tgt-lang: "{target}"
  kmeans.clusters: 16
  subwords.unit-vocab: 30
  subwords.source-vocab: 80
  subwords.target-vocab: 80
  subwords.source-text: "[{out}/corpus/{target}/train.tsv, {out}/corpus/{target}/external.tsv]"
  subwords.target-text: "[{out}/corpus/{target}/train.tsv, {out}/corpus/{target}/external.tsv]"
training: >-
  --criterion hmst_joint --optimizer adam --lr 0.001 --max-tokens 2000 --max-update 4 --cpu --num-workers 0
  --embed-dim 16 --ffn-embed-dim 32 --attention-heads 2 --encoder-layers 2
  --eval-bleu --validate-interval 1000 --validate-interval-updates 2 --save-interval-updates 2
  --keep-best-checkpoints 2 --best-checkpoint-metric bleu --maximize-best-checkpoint-metric
  --no-epoch-checkpoints --no-progress-bar --log-format simple
decoding: {beam: [2, 1], lenpen: [1, 0.5], ctc-decode-weight: [0.3, 0.5]}
axes:
  family:
    ctc_attention: --arch hmst_ctc_attention_tiny
    ctc: --arch hmst_ctc_tiny
  setting:
    st: --streams st
    st+mt:
      options: --streams st,mt
      set: {binarize.mt-text: "[{out}/corpus/{target}/external.tsv]"}
      score: [st, mt]
  target: {fr: "", es: ""}
  seed: {1: --seed 1, 2: --seed 2}
experiments:
  text-helps: {family: [ctc_attention], setting: [st, st+mt], against: {setting: st}}
  families: {family: [ctc_attention, ctc], setting: st}
"""


@pytest.fixture(autouse=True)
def example_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.syspath_prepend(str(EXAMPLE / "corpora"))


def write_grid(folder: Path, text: str = GRID) -> Path:
    path = folder / "grid.yaml"
    path.write_text(text.replace("RECIPE", str(EXAMPLE / "corpora/announcements_recipe.yaml")), encoding="utf-8")
    return path
