#!/usr/bin/env bash
# Fish Fillets, Czech to English, from nothing to scores, on the CPU. Run again, it reuses what is finished.
#
#   EXTRACTOR=FOLDER LAYER=N CLUSTERS=N   speech encoder, its layer and clusters (default: mfcc as in recipe_cpu.yaml)
#   UPDATES=N SEED=N                      of the training (default 1500, 1)
#   OUT=DIR                               where everything goes (default examples/fish_fillets/out/cpu)
set -euo pipefail
source "$(dirname "$0")/../environment.sh"
cd "$ROOT"
here=examples/fish_fillets
out="${OUT:-$here/out/cpu}"
data="$out/data-bin"
model="$out/model"
mkdir -p "$model"
encoder=()
[ -z "${EXTRACTOR:-}" ] || encoder=(--set "kmeans.extractor=$EXTRACTOR" --set "kmeans.layer=$LAYER" --set "kmeans.clusters=$CLUSTERS")

echo "== 1/3 Data (Fish Fillets NG, licence GPL-2) into $data =="
hmst preprocess run $here/recipe_cpu.yaml --out "$out" "${encoder[@]}" \
    --set "subwords.source-text=[$out/manifest/train.tsv, $out/manifest/mt.cs-en.cs]" \
    --set "subwords.target-text=[$out/manifest/train.tsv, $out/manifest/mt.cs-en.en]" \
    --set "binarize.mt-text=[$out/manifest/mt.cs-en.cs, $out/manifest/mt.cs-en.en]"

echo "== 2/3 Training, checkpoints in $model =="
[ -f "$model/training.json" ] || python examples/tools/measure.py "$model/training.json" \
    fairseq-train "$data" --user-dir fairseq_hmst --task hmst_translation --streams st,mt \
    --arch hmst_ctc_attention_tiny --criterion hmst_joint --label-smoothing 0.1 --dropout 0.2 \
    --optimizer adam --adam-betas '(0.9, 0.98)' --clip-norm 2 --lr 0.002 --lr-scheduler inverse_sqrt --warmup-updates 300 \
    --max-tokens 6000 --max-update "${UPDATES:-1500}" --seed "${SEED:-1}" --cpu --num-workers 0 \
    --eval-bleu --validate-interval 1000 --validate-interval-updates 150 --save-interval-updates 150 \
    --keep-interval-updates 4 --no-epoch-checkpoints \
    --no-progress-bar --log-format simple --log-interval 50 --log-file "$model/train.log" --save-dir "$model"

echo "== 3/3 Scores on the test set: the model, always the most frequent training sentence, and nothing =="
fairseq-generate "$data" --user-dir fairseq_hmst --task hmst_translation --path "$model/checkpoint_last.pt" \
    --gen-subset test --eval-stream st --beam 5 --scoring sacrebleu --max-tokens 6000 --cpu --num-workers 0 \
    --results-path "$model" --no-progress-bar >"$model/generate.log" 2>&1 || { cat "$model/generate.log" >&2; exit 1; }
most_frequent="$(tail -n +2 "$out/manifest/train.tsv" | cut -f 8 | sort | uniq -c | sort -rn | sed -n '1s/^ *[0-9]* //p')"
awk -v sentence="$most_frequent" '{print sentence}' "$data/test.st.ref.txt" >"$model/majority.txt"
sed 's/.*//' "$data/test.st.ref.txt" >"$model/empty.txt"
hmst score --data "$data" --hypothesis "$model"/{generate-test,majority,empty}.txt
