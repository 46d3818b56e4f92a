"""The stage `units` on the toy manifest of a test's folder."""

from pathlib import Path


def units_arguments(kmeans: Path, name: str = "train", manifest: str = "train.tsv") -> list[str]:
    """Command line that makes units/NAME.units beside the k-means, of a manifest beside it."""
    folder = kmeans.parent
    out = str(folder / "units" / f"{name}.units")
    return ["units", "--manifest", str(folder / manifest), "--kmeans", str(kmeans), "--out", out]
