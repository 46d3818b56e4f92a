"""The k-means benchmark on the audio of a manifest."""

import re

from toy import REPOSITORY, run_command

BENCHMARKS = REPOSITORY / "examples" / "benchmarks"


def test_kmeans_takes_the_frames_of_a_manifest(tmp_path):
    recording = REPOSITORY / "examples/prompts/recordings/activated.ogg"
    columns = "id audio offset duration src_lang tgt_lang src_text tgt_text speaker".split()
    row = ["a", str(recording), "0", "", "en", "fr", "Activated.", "Activé.", ""]
    (tmp_path / "train.tsv").write_text("\t".join(columns) + "\n" + "\t".join(row) + "\n", encoding="utf-8")
    result = run_command("python", BENCHMARKS / "kmeans.py", "--manifest", tmp_path / "train.tsv", "--clusters", 3)
    assert result.returncode == 0, result.stderr[-3000:]
    assert re.search(r"^\d+ frames, width 39, 3 clusters, seed 0$", result.stdout, re.MULTILINE)
