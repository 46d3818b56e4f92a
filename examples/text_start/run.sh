#!/usr/bin/env bash
# A start from a text model: data-bin, conversion, training, scores. Run again, it reuses what is finished.
#
#   CORPUS=DIR          folder with manifest/ and units/, such as a recipe's `out`; required
#   TEXT_MODEL=DIR|NAME facebook/nllb-200-distilled-600M, facebook/m2m100_418M, Helsinki-NLP/opus-mt-en-de or another
#   TINY=nllb|m2m|opus  instead: a tiny one with random weights, which shows that all steps work
#   ARCH=hmst_aed       or hmst_ctc_attention, for a data-bin of one target language, or of Opus-MT
#   FINETUNE=all|lna|units   what is trained (default all)
#   UPDATES=40000 MAX_TOKENS=1024 UPDATE_FREQ=2 LR=3e-05   of the training
#   PRECISION=--bf16|--fp16|--cpu   (default --bf16 where there is a GPU)
#   UNIT_VOCAB=4000     unit subwords
#   OUT=DIR             where everything is written (default examples/text_start/out)
set -euo pipefail
source "$(dirname "$0")/../environment.sh"
cd "$ROOT"

here=examples/text_start
out="$(realpath -m "${OUT:-$here/out}")"
corpus="$(realpath "${CORPUS:?give the folder with manifest/ and units/}")"
precision="${PRECISION:-$(nvidia-smi -L >/dev/null 2>&1 && echo --bf16 || echo --cpu)}"
updates="${UPDATES:-40000}"
mkdir -p "$out"

if [ -z "${TEXT_MODEL:-}" ]; then
    TEXT_MODEL="$out/tiny"
    [ -f "$TEXT_MODEL/model.safetensors" ] ||
        python $here/make_tiny.py --kind "${TINY:?give TEXT_MODEL or TINY}" --manifest "$corpus/manifest/train.tsv" \
            --out "$TEXT_MODEL"
fi

echo "== 1/3 Data-bin with the pieces of $TEXT_MODEL, in $out/data/data-bin =="
cat >"$out/recipe.yaml" <<RECIPE
out: data
manifest: $corpus/manifest
$([ ! -d "$corpus/kmeans" ] || echo "kmeans: $corpus/kmeans")
units: $corpus/units
subwords:
  unit-vocab: ${UNIT_VOCAB:-4000}
  text-model: $TEXT_MODEL
binarize:
  repeat: 4
RECIPE
hmst preprocess run "$out/recipe.yaml"
data="$out/data/data-bin"

echo "== 2/3 Converting, and training ${ARCH:-hmst_aed} for $updates updates =="
[ -f "$out/start.pt" ] || hmst text-start --from "$TEXT_MODEL" --data "$data" --out "$out/start.pt"
fairseq-train "$data" --user-dir fairseq_hmst --task hmst_translation --streams st,mt \
    --arch "${ARCH:-hmst_aed}" --init-from "$out/start.pt" --finetune "${FINETUNE:-all}" \
    --criterion hmst_joint --label-smoothing 0.2 --dropout 0.1 \
    --optimizer adam --adam-betas '(0.9, 0.98)' --lr "${LR:-3e-05}" --lr-scheduler polynomial_decay \
    --warmup-updates "$((updates / 16))" --total-num-update "$updates" --max-update "$updates" \
    --max-tokens "${MAX_TOKENS:-1024}" --update-freq "${UPDATE_FREQ:-2}" --seed 1 "$precision" \
    --eval-bleu --best-checkpoint-metric bleu --maximize-best-checkpoint-metric --no-epoch-checkpoints \
    --no-progress-bar --log-format simple --log-interval 25 --log-file "$out/train.log" --save-dir "$out"

echo "== 3/3 Decoding the test set =="
fairseq-generate "$data" --user-dir fairseq_hmst --task hmst_translation --path "$out/checkpoint_best.pt" \
    --gen-subset test --eval-stream st --beam 5 --scoring sacrebleu --max-tokens "${MAX_TOKENS:-1024}" \
    $([ "$precision" != --cpu ] || echo --cpu) --no-progress-bar --results-path "$out" \
    >"$out/generate.log" 2>&1 || { cat "$out/generate.log" >&2; exit 1; }
grep '^Generate' "$out/generate-test.txt"
