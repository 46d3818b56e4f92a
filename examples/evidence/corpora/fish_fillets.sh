#!/usr/bin/env bash
# Fish Fillets (fetched, licence GPL-2), Czech to English, for the grid fish_fillets.yaml, into a folder: manifests,
# k-means and units of a speech encoder, and a recipe that goes on from them.
#   ENCODER=FOLDER LAYER=N   speech encoder and its layer
set -euo pipefail
hmst preprocess run "$(dirname "$0")/../../fish_fillets/recipe_cpu.yaml" --out "$1" --set "manifest.root=$1/raw" \
    --set "kmeans.extractor=$ENCODER" --set "kmeans.layer=$LAYER" --set kmeans.clusters=500 \
    --set "subwords.source-text=[$1/manifest/train.tsv, $1/manifest/mt.cs-en.cs]" \
    --set "subwords.target-text=[$1/manifest/train.tsv, $1/manifest/mt.cs-en.en]" \
    --set "binarize.mt-text=[$1/manifest/mt.cs-en.cs, $1/manifest/mt.cs-en.en]"
cat >"$1/recipe.yaml" <<RECIPE
out: data
manifest: manifest
kmeans: kmeans
units: units
subwords: subwords
binarize: {repeat: 4}
RECIPE
