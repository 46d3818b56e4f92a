"""The benchmarks of the speech encoder and of k-means, each run once at toy size."""

import re

import numpy as np
from toy import REPOSITORY, run_command

BENCHMARKS = REPOSITORY / "examples" / "benchmarks"


def test_units_of_the_plain_way_and_ours_are_compared():
    shape = "--width 64 --layers 3 --layer 2 --seconds 2 --clusters 10 --rounds 2".split()
    result = run_command("python", BENCHMARKS / "units.py", *shape)
    assert result.returncode == 0, result.stderr[-3000:]
    assert "random WavLM, 3 layers, width 64; layer 2; 1 utterances; cpu" in result.stdout
    for way in ("plain", "preprocess"):
        assert re.search(rf"^{way} +\d+\.\d\d, \d+\.\d\d +\d+$", result.stdout, re.MULTILINE)
    assert re.search(r"times faster, median: \d+\.\d\d", result.stdout)
    assert "units equal: 100.000 % of 99 frames, 10 clusters" in result.stdout


def test_kmeans_of_ours_and_the_fields_recipe_are_compared(tmp_path):
    frames = np.random.default_rng(0).standard_normal((3000, 8)).astype(np.float32)
    np.save(tmp_path / "frames.npy", frames)
    result = run_command("python", BENCHMARKS / "kmeans.py", "--frames", tmp_path / "frames.npy", "--clusters", 8, 20)
    assert result.returncode == 0, result.stderr[-3000:]
    assert "3000 frames, width 8, 20 clusters, seed 0" in result.stdout
    ratios = re.findall(r"^ratio +(\d\.\d+) +\d+\.\d+ +\d+\.\d+$", result.stdout, re.MULTILINE)
    assert len(ratios) == 2 and all(0.9 < float(ratio) < 1.05 for ratio in ratios)


def test_kmeans_takes_the_frames_of_a_manifest(tmp_path):
    recording = REPOSITORY / "examples/prompts/recordings/activated.ogg"
    columns = "id audio offset duration src_lang tgt_lang src_text tgt_text speaker".split()
    row = ["a", str(recording), "0", "", "en", "fr", "Activated.", "Activé.", ""]
    (tmp_path / "train.tsv").write_text("\t".join(columns) + "\n" + "\t".join(row) + "\n", encoding="utf-8")
    result = run_command("python", BENCHMARKS / "kmeans.py", "--manifest", tmp_path / "train.tsv", "--clusters", 3)
    assert result.returncode == 0, result.stderr[-3000:]
    assert re.search(r"^\d+ frames, width 39, 3 clusters, seed 0$", result.stdout, re.MULTILINE)
