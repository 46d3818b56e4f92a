#!/usr/bin/env bash
# Fine-tuning from mBART with its published settings: data-bin, conversion, training, scores. Run again, it reuses what
# is finished. Without a GPU and without an mBART, a tiny one with random weights shows that all steps work.
#
#   CORPUS=DIR          folder with manifest/ and units/, such as a recipe's `out` (default: that of the prompts example)
#   MBART=DIR|NAME      mBART: folder or hub name of Hugging Face, or folder of fairseq's release (default: a tiny one)
#   FAMILY=aed|ctc_attention    model family (default aed)
#   FINETUNE=all|lna    train everything, or layer norms and attention alone (default all)
#   UPDATES=40000       training updates (default 40000, with the tiny mBART 20)
#   PRECISION=--bf16|--fp16|--cpu   (default --bf16 where there is a GPU)
#   MAX_TOKENS=1024 UPDATE_FREQ=2   size of a batch, and batches an update
#   UNIT_VOCAB=4000     unit subwords (default 4000, for the prompts 200)
#   SEED=1 OUT=DIR      seed, and where everything is written (default examples/mbart/out)
set -euo pipefail
source "$(dirname "$0")/../environment.sh"
cd "$ROOT"

here=examples/mbart
prompts=examples/prompts
out="$(realpath -m "${OUT:-$here/out}")"
family="${FAMILY:-aed}"
updates="${UPDATES:-$([ -n "${MBART:-}" ] && echo 40000 || echo 20)}"
precision="${PRECISION:-$(nvidia-smi -L >/dev/null 2>&1 && echo --bf16 || echo --cpu)}"
mkdir -p "$out"

if [ -z "${CORPUS:-}" ]; then
    echo "== 1/5 Corpus: the prompts example, in $out/prompts =="
    [ -f "$out/announcements/announcements.tsv" ] || python $prompts/compose.py --seed 0 --out "$out/announcements"
    hmst preprocess run $prompts/recipe.yaml --out "$out/prompts" --set "manifest.root=$out/announcements"
    UNIT_VOCAB="${UNIT_VOCAB:-200}"
fi
corpus="$(realpath "${CORPUS:-$out/prompts}")"

if [ -z "${MBART:-}" ]; then
    echo "== 2/5 A tiny mBART with random weights, in $out/tiny-mbart =="
    [ -f "$out/tiny-mbart/model.safetensors" ] ||
        python examples/text_start/make_tiny.py --kind mbart-50 --manifest "$corpus/manifest/train.tsv" \
            --out "$out/tiny-mbart"
fi
mbart="${MBART:-$out/tiny-mbart}"

echo "== 3/5 Data-bin with the pieces of $mbart, in $out/data/data-bin =="
cat >"$out/recipe.yaml" <<RECIPE
out: data
manifest: $corpus/manifest
$([ ! -d "$corpus/kmeans" ] || echo "kmeans: $corpus/kmeans")
units: $corpus/units
subwords:
  unit-vocab: ${UNIT_VOCAB:-4000}
  text-model: $mbart
binarize:
  repeat: 4
RECIPE
hmst preprocess run "$out/recipe.yaml"
data="$out/data/data-bin"

echo "== 4/5 Converting $mbart, and training hmst_$family for $updates updates =="
[ -f "$out/mbart.pt" ] || hmst text-start --from "$mbart" --data "$data" --out "$out/mbart.pt"
model="$out/$family"
mkdir -p "$model"
fairseq-train "$data" --user-dir fairseq_hmst --task hmst_translation --streams st,mt \
    --arch "hmst_$family" --init-from "$out/mbart.pt" --finetune "${FINETUNE:-all}" \
    --criterion hmst_joint --label-smoothing 0.2 --dropout 0.3 --attention-dropout 0.1 \
    --optimizer adam --adam-betas '(0.9, 0.98)' --adam-eps 1e-06 --weight-decay 0.0 \
    --lr 3e-05 --lr-scheduler polynomial_decay --warmup-updates 2500 --total-num-update "$updates" \
    --max-tokens "${MAX_TOKENS:-1024}" --update-freq "${UPDATE_FREQ:-2}" --max-update "$updates" \
    --seed "${SEED:-1}" "$precision" --eval-bleu --best-checkpoint-metric bleu --maximize-best-checkpoint-metric \
    --no-epoch-checkpoints --no-progress-bar --log-format simple --log-interval 25 \
    --log-file "$model/train.log" --save-dir "$model"

echo "== 5/5 Decoding the test set =="
fairseq-generate "$data" --user-dir fairseq_hmst --task hmst_translation --path "$model/checkpoint_best.pt" \
    --gen-subset test --eval-stream st --beam 5 --scoring sacrebleu --max-tokens "${MAX_TOKENS:-1024}" \
    $([ "$precision" != --cpu ] || echo --cpu) --no-progress-bar --results-path "$model" \
    >"$model/generate.log" 2>&1 || { cat "$model/generate.log" >&2; exit 1; }
grep '^Generate' "$model/generate-test.txt"
