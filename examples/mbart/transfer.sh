#!/usr/bin/env bash
# Is a pretrained text model worth its while? On the CPU, with the prompts example: a small text model is trained to
# translate the example's text; then speech translation is trained twice with equal updates, seed and data, from that
# model (OUT/KIND-SEED) and from random weights of the same shape (OUT/scratch-SEED).
#
#   bash examples/mbart/transfer.sh SEED
#
#   KIND=mbart|m2m|opus    the text model: mBART trained by fairseq's own task (default), or one of the shape of M2M-100
#                          or Opus-MT trained with transformers
#   PRETRAIN_UPDATES=2500  updates of the text model (default 2500)
#   UPDATES=400            updates of speech translation (default 400)
#   NEW_LR_SCALE=1         learning rate of the rows of units, as a multiple (default 1; others go to
#                          OUT/KIND-newMULTIPLE-SEED)
#   OUT=DIR                where everything is written (default examples/mbart/out/transfer; for others than mBART
#                          examples/mbart/out/transfer-KIND)
set -euo pipefail
source "$(dirname "$0")/../environment.sh"
cd "$ROOT"

here=examples/mbart
kind="${KIND:-mbart}"
case "$kind" in
mbart) shape="--layernorm-embedding --no-scale-embedding --learned-positions --activation-fn gelu" ;;
m2m) shape="--activation-fn relu" ;;
opus) shape="--marian-positions --post-norm --output-bias --start-with-padding --activation-fn swish" ;;
*) echo "KIND is mbart, m2m or opus, not '$kind'" >&2 && exit 2 ;;
esac
prompts=examples/prompts
seed="${1:?give a seed, such as 1}"
out="$(realpath -m "${OUT:-$here/out/transfer$([ "$kind" = mbart ] || echo "-$kind")}")"
release="$out/text-model"
updates="${UPDATES:-400}"
pretrain_updates="${PRETRAIN_UPDATES:-2500}"
mkdir -p "$out"

echo "== 1/5 The prompts example's corpus and units, in $out/prompts =="
[ -f "$out/announcements/announcements.tsv" ] || python $prompts/compose.py --seed 0 --out "$out/announcements"
hmst preprocess run $prompts/recipe.yaml --out "$out/prompts" --set "manifest.root=$out/announcements"

# translation_multi_simple_epoch is fairseq's task for mBART-50; that for cc25, translation_from_pretrained_bart, fails in
# ve-fairseq 0.12.3 ("has no attribute 'args'")
pretrain_mbart() {
    if [ ! -f "$release/model.pt" ]; then
        python examples/text_start/pieces.py --manifest-dir "$out/prompts/manifest" --source en_XX --target fr_XX \
            --out "$release"
        fairseq-preprocess --source-lang en_XX --target-lang fr_XX --trainpref "$release/train" --validpref "$release/valid" \
            --srcdict "$release/dict.txt" --tgtdict "$release/dict.txt" --destdir "$release/bin" >"$release/preprocess.log"
        fairseq-train "$release/bin" --task translation_multi_simple_epoch --lang-pairs en_XX-fr_XX \
            --lang-dict "$release/ML50_langs.txt" --lang-tok-style mbart --encoder-langtok src --decoder-langtok \
            --arch mbart_base --layernorm-embedding --no-scale-embedding \
            --encoder-normalize-before --decoder-normalize-before --encoder-layers 3 --decoder-layers 2 \
            --encoder-embed-dim 128 --encoder-ffn-embed-dim 512 --encoder-attention-heads 4 --decoder-attention-heads 4 \
            --max-source-positions 1024 --max-target-positions 1024 \
            --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --dropout 0.1 \
            --optimizer adam --adam-betas '(0.9, 0.98)' --clip-norm 2 \
            --lr 0.001 --lr-scheduler inverse_sqrt --warmup-updates 100 \
            --max-tokens 1000 --max-update "$pretrain_updates" --seed 1 --cpu --num-workers 0 \
            --no-epoch-checkpoints --no-save-optimizer-state --no-progress-bar --log-format simple --log-interval 25 \
            --log-file "$release/train.log" --save-dir "$release/checkpoints"
        cp "$release/checkpoints/checkpoint_best.pt" "$release/model.pt"
    fi
    if [ ! -f "$release/score.txt" ]; then
        # --user-dir: for what today's torch needs to read fairseq's checkpoints
        fairseq-generate "$release/bin" --user-dir fairseq_hmst --task translation_multi_simple_epoch \
            --lang-pairs en_XX-fr_XX --source-lang en_XX --target-lang fr_XX --lang-dict "$release/ML50_langs.txt" \
            --lang-tok-style mbart --encoder-langtok src --decoder-langtok --path "$release/model.pt" --gen-subset valid \
            --beam 5 --remove-bpe sentencepiece --scoring sacrebleu --max-tokens 4000 --cpu --num-workers 0 \
            --no-progress-bar >"$release/generate.txt" 2>"$release/generate.log"
        grep '^Generate' "$release/generate.txt" >"$release/score.txt"
    fi
}

pretrain_with_transformers() {
    [ ! -f "$release/score.txt" ] || return 0
    python examples/text_start/make_tiny.py --kind "$kind" --manifest "$out/prompts/manifest/train.tsv" --vocab 800 \
        --width 128 --encoder-layers 3 --decoder-layers 2 --out "$release"
    python examples/text_start/pretrain.py --model "$release" --manifest-dir "$out/prompts/manifest" \
        --updates "$pretrain_updates"
}

echo "== 2/5 The text model, $pretrain_updates updates, in $release =="
if [ "$kind" = mbart ]; then pretrain_mbart; else pretrain_with_transformers; fi
echo "the text model on the text of dev: $(cat "$release/score.txt")"

echo "== 3/5 Data-bin with the text model's pieces, in $out/data/data-bin =="
cat >"$out/recipe.yaml" <<RECIPE
out: data
manifest: $out/prompts/manifest
kmeans: $out/prompts/kmeans
units: $out/prompts/units
subwords:
  unit-vocab: 200
  text-model: $release
binarize:
  repeat: 4
RECIPE
hmst preprocess run "$out/recipe.yaml"
data="$out/data/data-bin"

echo "== 4/5 Conversion =="
[ -f "$out/start.pt" ] || hmst text-start --from "$release" --data "$data" --out "$out/start.pt"

echo "== 5/5 Speech translation, $updates updates, from the text model and from random weights =="
train() { # NAME ARCHITECTURE...
    local model="$out/$1-$seed"
    shift
    mkdir -p "$model"
    [ -f "$model/training.json" ] || python examples/tools/measure.py "$model/training.json" \
        fairseq-train "$data" --user-dir fairseq_hmst --task hmst_translation --streams st,mt --mt-passes 0.5 \
        --arch hmst_aed "$@" --criterion hmst_joint --label-smoothing 0.1 --dropout 0.1 \
        --optimizer adam --adam-betas '(0.9, 0.98)' --clip-norm 2 \
        --lr 0.003 --lr-scheduler polynomial_decay --warmup-updates 100 --total-num-update "$updates" \
        --max-tokens 6000 --max-update "$updates" --seed "$seed" --cpu --num-workers 0 \
        --eval-bleu --validate-interval 1000 --validate-interval-updates 100 --save-interval-updates 100 \
        --keep-interval-updates 1 --no-epoch-checkpoints --no-progress-bar --log-format simple --log-interval 25 \
        --log-file "$model/train.log" --save-dir "$model"
}
name="$kind${NEW_LR_SCALE:+-new$NEW_LR_SCALE}"
train "$name" --init-from "$out/start.pt" --new-lr-scale "${NEW_LR_SCALE:-1}"
# shellcheck disable=SC2086 # several options
train scratch $shape --share-embeddings --embed-dim 128 --ffn-embed-dim 512 --attention-heads 4 --encoder-layers 3 \
    --decoder-layers 2 --max-source-positions 1024 --max-target-positions 1024
python examples/tools/curves.py "$out/scratch-$seed" "$out/$name-$seed"
