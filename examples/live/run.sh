#!/usr/bin/env bash
# Quality against latency of live translation, on recordings of three minutes joined from the announcements of
# examples/prompts. Run again, it reuses what is finished.
#
#   bash examples/live/run.sh            all settings of grid.yaml on dev, the best of them on test
#   bash examples/live/run.sh --small    two settings on two short recordings: it shows that every step works
#
#   FAMILIES="ctc aed"                   model families (default: ctc_attention transducer aed ctc)
#   MODELS=DIR                           where examples/prompts wrote corpus and models (default examples/prompts/out);
#                                        a family that is not there is trained first
#   LANGUAGE=fr|es                       language translated into (default fr)
#   OUT=DIR                              where everything is written (default examples/live/out)
set -euo pipefail
source "$(dirname "$0")/../environment.sh"
cd "$ROOT"

here=examples/live
families="${FAMILIES:-ctc_attention transducer aed ctc}"
models="${MODELS:-examples/prompts/out}"
language="${LANGUAGE:-fr}"
out="${OUT:-$here/out}"
sizes=() grid="$here/grid.yaml"
[ "${1:-}" != --small ] || { sizes=(--dev 3 --test 3 --seconds 6); grid="$here/grid_small.yaml"; }

for family in $families; do
    [ -d "$models/$family/model" ] ||
        MODEL="$family" LANGUAGE="$language" OUT="$models" bash examples/prompts/run.sh
done

# Computing is measured on one core.
export OMP_NUM_THREADS=1
[ -d "$out/recordings" ] || {
    echo "== recordings: joining announcements into $out/recordings =="
    mkdir -p "$out"
    python $here/compose_recordings.py --corpus "$models/corpus" --out "$out/recordings" "${sizes[@]}"
}
echo "== live translations: settings of $grid =="
python $here/measure_curves.py --recordings "$out/recordings" --models "$models" --family $families \
    --language "$language" --grid "$grid" --out "$out"
echo "== curves: $out/live.svg =="
python $here/draw_curves.py "$out/results.jsonl" --picture "$out/live.svg"
