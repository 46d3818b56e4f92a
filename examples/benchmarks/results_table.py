"""The table of a benchmark's results.

python examples/benchmarks/results_table.py RESULTS.jsonl
"""

import json
import sys
from pathlib import Path
from typing import Any


def read_results(path: Path) -> list[dict[str, Any]]:
    """Lines of results, [] where there is no file; a last line that was cut off is left out."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


def make_table(results: list[dict[str, Any]]) -> str:
    """Markdown: devices and versions, then a row for each figure and each failure."""
    devices = sorted({result["device"] for result in results if "device" in result})
    versions = {name: version for result in results for name, version in result.get("versions", {}).items()}
    rows = ["| part | figure | value | unit |", "|---|---|---|---|"]
    for result in results:
        name, part = result.get("name", ""), result["part"]
        if "error" in result:
            rows.append(f"| {part} | {name} | **{result['error'].replace('|', '/')}** | |")
        else:
            rows.append(f"| {part} | {name} | {result['value']:.5g} | {result['unit']} |")
    heading = "; ".join(devices) + "\n" + ", ".join(f"{name} {version}" for name, version in versions.items())
    return "\n".join([heading, "", *rows]) + "\n"


if __name__ == "__main__":
    print(make_table(read_results(Path(sys.argv[1]))))
