"""Announcements of the prompts example with little speech and much text.

    python examples/evidence/corpora/announcements.py --out OUT

For each target language, OUT/{fr,es}/{train,dev,test}.tsv have the announcements with audio, as `preprocess manifest
tsv` reads them; OUT/{fr,es}/external.tsv has the further training sentences, as text alone. No target sentence of dev
or test is in either.
"""

import argparse
import csv
import subprocess
import sys
from pathlib import Path

COMPOSE = Path(__file__).parents[2] / "prompts" / "compose.py"
COLUMNS = ("id", "audio", "src_text", "tgt_text", "speaker")
SPEAKER = "announcer"  # of all recordings
TARGETS = ("fr", "es")


def write_tables(announcements: Path, target: str, out: Path) -> None:
    """Split announcements.tsv by what serves what."""
    with announcements.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    tables: dict[str, list[str]] = {name: ["\t".join(COLUMNS)] for name in ("train", "dev", "test")}
    external = ["src_text\ttgt_text"]
    for row in rows:
        if not row["audio"]:
            external.append(f"{row['en']}\t{row[target]}")
        elif row["split"] in tables:
            audio = announcements.parent / row["audio"]
            tables[row["split"]].append(f"{row['id']}\t{audio}\t{row['en']}\t{row[target]}\t{SPEAKER}")
    out.mkdir(parents=True, exist_ok=True)
    for name, lines in {**tables, "external": external}.items():
        (out / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=800, help="training announcements with audio, default %(default)s")
    parser.add_argument("--text", type=int, default=12000, help="further ones, as text alone, default %(default)s")
    parser.add_argument("--dev", type=int, default=150, help="default %(default)s")
    parser.add_argument("--test", type=int, default=500, help="default %(default)s")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    folder = (arguments.out / "announcements").resolve()
    if not folder.exists():
        sizes = [f"--{name}={getattr(arguments, name)}" for name in ("train", "text", "dev", "test")]
        subprocess.run([sys.executable, COMPOSE, *sizes, "--seed", "0", "--out", folder], check=True)
    for target in TARGETS:
        write_tables(folder / "announcements.tsv", target, arguments.out / target)


if __name__ == "__main__":
    main()
