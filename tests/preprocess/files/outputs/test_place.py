"""What may stand where an output is to be put."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from spoken_corpus import make_kmeans

from preprocess.errors import OutputError
from preprocess.files.cards.stage_cards import KmeansCard, ReportCard
from preprocess.files.outputs.held import held_file, held_folder
from preprocess.files.outputs.place import MOST_NAMED, check_apart, check_replaceable, inputs_of
from preprocess.stages.kmeans import KmeansOptions


@pytest.fixture
def kmeans(tmp_path: Path) -> Path:
    make_kmeans(tmp_path / "kmeans", seed=0)
    return tmp_path / "kmeans"


def put_checkpoints(folder: Path) -> None:
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints/last.pt").touch()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "notes.txt").touch(), r"has not written, and what would be lost: notes\.txt; move"),
        (lambda folder: (folder / ".hidden").touch(), r"would be lost: \.hidden"),
        (put_checkpoints, r"would be lost: checkpoints/;"),
        (lambda folder: (folder / "empty").mkdir(), r"would be lost: empty/"),
        (lambda folder: (folder / "audio").symlink_to(folder.parent), r"would be lost: audio/"),
        (lambda folder: [(folder / f"{n:02}").touch() for n in range(MOST_NAMED + 2)], r"00, .*, 09, and 2 more"),
        (lambda folder: (folder / "card.json").write_text("{"), r"is not an output of .*kmeans: card\.json: not"),
        (
            lambda folder: (folder / "card.json").write_text('{"stage": "cook"}'),
            r"expected the card of .* found 'cook'",
        ),
        (lambda folder: (folder / "card.json").unlink(), r"exists and is not an output of .*: it has no card\.json"),
    ],
)
def test_a_folder_with_anything_that_would_be_lost_is_refused(kmeans: Path, change: Callable, message: str):
    check_replaceable(kmeans, KmeansCard)
    change(kmeans)
    before = sorted(kmeans.rglob("*"))
    with pytest.raises(OutputError, match=message), held_folder(kmeans, KmeansCard):
        pass
    assert sorted(kmeans.rglob("*")) == before


def test_the_output_of_another_stage_is_refused(kmeans: Path):
    with pytest.raises(OutputError, match="is not an output of hmst preprocess inspect: card.json: .* found 'kmeans'"):
        check_replaceable(kmeans, ReportCard)


def test_an_output_that_lacks_files_and_an_empty_folder_may_be_replaced(kmeans: Path):
    (kmeans / "centroids.npz").unlink()
    check_replaceable(kmeans, KmeansCard)
    shutil.rmtree(kmeans)
    check_replaceable(kmeans, KmeansCard)
    kmeans.mkdir()
    check_replaceable(kmeans, KmeansCard)


def test_an_output_that_is_holds_or_lies_in_an_input_is_refused(kmeans: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "manifest.tsv").touch()
    for out in (kmeans, tmp_path, tmp_path / "link/kmeans", tmp_path / "link", tmp_path / "x/../kmeans"):
        with pytest.raises(OutputError, match=f"--out {out}: would replace {kmeans}, which is read"):
            check_apart(out, [tmp_path / "manifest.tsv", kmeans] if out.name == "kmeans" else [kmeans])
    with pytest.raises(OutputError, match=f"--out {kmeans}/units/train.units: lies in {kmeans}, which is read"):
        check_apart(kmeans / "units/train.units", [kmeans])
    with (
        pytest.raises(OutputError, match="would replace"),
        held_file(tmp_path / "manifest.tsv", [tmp_path / "manifest.tsv"]),
    ):
        pass
    check_apart(tmp_path / "out", [tmp_path, kmeans])  # of a raw release, which is no output, nothing is lost
    check_apart(tmp_path / "kmeans2", [kmeans])


def test_all_paths_of_options_are_inputs_but_out():
    options = KmeansOptions("mfcc", Path("out"))
    assert list(inputs_of(Path("a"), options, [[Path("b")], (Path("c"), "d")], None)) == [
        Path("a"),
        Path("b"),
        Path("c"),
    ]


def test_places_where_nothing_can_be_put_are_refused_before_the_work(tmp_path: Path, monkeypatch):
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "bound place").mkdir()
    (tmp_path / "mounts").write_text(f"27 1 0:27 / {tmp_path}/bound\\040place rw - ext4 /dev/sda1 rw\n")
    monkeypatch.setattr("preprocess.files.outputs.place.MOUNTS", tmp_path / "mounts")
    for place, held, message in (
        ("dangling", held_folder, "dangling: is a link to nowhere, where nothing is"),
        ("dangling", held_file, "dangling: is a link to nowhere, where nothing is"),
        ("file", held_folder, "file: expected a folder to replace, found a file"),
        ("folder", held_file, "folder: expected a file to replace, found a folder"),
        ("file/out", held_file, "cannot write .*file/out: "),
        ("/dev/null", held_file, "/dev/null: expected a file to replace, found a device"),
        ("/proc", held_folder, "/proc: is a mount point"),
        ("bound place", held_folder, "bound place: is a mount point, which cannot be replaced; name a place below it"),
    ):
        kind = [ReportCard] if held is held_folder else []
        with pytest.raises(OutputError, match=message), held(tmp_path / place, *kind):
            pytest.fail("the work began")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bound place", "dangling", "file", "folder", "mounts"]
