#!/usr/bin/env bash
# Announcements for the grid announcements.yaml, into a folder: tables, and units that keep their repetitions.
#   announcements.sh FOLDER [options of announcements.py]
set -euo pipefail
here="$(dirname "$0")"
python "$here/announcements.py" --out "$1" "${@:2}"
hmst preprocess manifest tsv --root "$1/fr" --src-lang en --tgt-lang fr --out "$1/manifest"
hmst preprocess kmeans --manifest "$1/manifest/train.tsv" --extractor mfcc --clusters 64 --portion 1 --out "$1/kmeans"
python "$here/units_with_repetitions.py" --manifest-dir "$1/manifest" --kmeans "$1/kmeans" --out "$1/repetitions"
