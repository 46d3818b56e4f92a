#!/usr/bin/env bash
# Announcements for the grid prompts.yaml, into a folder: tables, and units that keep their repetitions.
#   prompts_corpus.sh FOLDER [options of prompts_corpus.py]
set -euo pipefail
here="$(dirname "$0")"
python "$here/prompts_corpus.py" --out "$1" "${@:2}"
python -m preprocess manifest tsv --root "$1/fr" --src-lang en --tgt-lang fr --out "$1/manifest"
python -m preprocess kmeans --manifest "$1/manifest/train.tsv" --extractor mfcc --clusters 64 --portion 1 --out "$1/kmeans"
python "$here/repetitions.py" --manifest-dir "$1/manifest" --kmeans "$1/kmeans" --out "$1/repetitions"
