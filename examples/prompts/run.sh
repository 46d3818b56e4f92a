#!/usr/bin/env bash
# From recorded prompts to a trained model and its scores, on the CPU. Run again, it reuses what is finished.
#
#   MODEL=aed|ctc|ctc_attention|transducer   model family (default aed); results go to out/MODEL/
#   LANGUAGE=fr|es                           language translated into (default fr)
#   SEED=1                                   seed of the training
#   UPDATES=N                                training updates (default 900)
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

echo "== announcements: joining the recordings into $out/corpus =="
[ -f "$out/corpus/announcements.tsv" ] || python $here/compose.py --seed 0 --out "$out/corpus"

exec hmst run $here/recipe.yaml --out "$out/data" \
    --set "manifest.root=$out/corpus" --set "manifest.tgt-lang=$language" \
    --set "train.arch=hmst_${family}_tiny" --set "train.save-dir=$out/$family" \
    --set "train.seed=${SEED:-1}" --set "train.max-update=${UPDATES:-900}"
