#!/usr/bin/env bash
# From recorded prompts to a trained model and its scores, on the CPU. Run again, it reuses what is finished.
#
#   MODEL=aed|ctc|ctc_attention|transducer   model family (default aed); results go to out/MODEL/
#   LANGUAGE=fr|es                           language translated into (default fr)
#   SEED=1                                   seed of the training
#   UPDATES=N                                training updates (default 1000)
#   OUT=DIR                                  where everything is written (default examples/prompts/out, out/es for es)
set -euo pipefail
source "$(dirname "$0")/../environment.sh"
cd "$ROOT"

here=examples/prompts
family="${MODEL:-aed}"
language="${LANGUAGE:-fr}"
out="$here/out"
[ "$language" = fr ] || out="$out/$language"
out="${OUT:-$out}"
model="$out/$family"
data="$out/data/data-bin"
updates="${UPDATES:-1000}"

echo "== 1/4 Announcements: joining the recordings into $out/corpus =="
[ -f "$out/corpus/announcements.tsv" ] || python $here/compose.py --seed 0 --out "$out/corpus"

echo "== 2/4 Preprocessing: units, subwords and binarized streams into $data =="
hmst preprocess run $here/recipe.yaml --out "$out/data" \
    --set "manifest.root=$out/corpus" --set "manifest.tgt-lang=$language"

echo "== 3/4 Training hmst_${family}_tiny for $updates updates, checkpoints in $model =="
if [ ! -f "$model/training.json" ]; then
    mkdir -p "$model"
    python examples/tools/measure.py "$model/training.json" \
        fairseq-train "$data" --user-dir fairseq_hmst --task hmst_translation --streams st,mt --mt-passes 0.5 \
        --arch "hmst_${family}_tiny" --criterion hmst_joint --label-smoothing 0.1 --dropout 0.1 \
        --optimizer adam --adam-betas '(0.9, 0.98)' --clip-norm 2 \
        --lr 0.003 --lr-scheduler inverse_sqrt --warmup-updates 300 \
        --max-tokens 6000 --max-update "$updates" --seed "${SEED:-1}" --cpu --num-workers 0 \
        --eval-bleu --validate-interval 1000 --validate-interval-updates 100 \
        --save-interval-updates 100 --keep-interval-updates 3 --no-epoch-checkpoints \
        --no-progress-bar --log-format simple --log-interval 25 --log-file "$model/train.log" --save-dir "$model"
fi

echo "== 4/4 Decoding the test sets =="
generate() { # STREAM SUBSET
    echo "$2, $1 stream"
    fairseq-generate "$data" --user-dir fairseq_hmst --task hmst_translation --path "$model/checkpoint_last.pt" \
        --gen-subset "$2" --eval-stream "$1" --beam 5 --scoring sacrebleu --max-tokens 6000 --cpu --num-workers 0 \
        --results-path "$model/$1" --no-progress-bar >"$model/generate.log" 2>&1 ||
        { cat "$model/generate.log" >&2; exit 1; }
}
generate st test
generate st test_prompts
generate mt test
python $here/report.py --data-bin "$data" --model "$model"
