from pathlib import Path

import pytest
from debian_stubs import Archive

from preprocess.corpora.releases.debian import fetch_packages, unpacked
from preprocess.errors import PreprocessError


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    archive = Archive(tmp_path, monkeypatch)
    archive.add("one", {"usr/share/one.txt": "1"})
    archive.add("two", {"usr/share/two.txt": "2"})
    return archive


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_packages_are_downloaded_and_unpacked_and_then_left_alone(archive: Archive, root: Path):
    fetch_packages(root, ["one", "two"])
    whole = {"packages/one_1_all.deb", "packages/two_1_all.deb", "unpacked/usr/share/one.txt"}
    assert files_in(root) == whole | {"unpacked/usr/share/two.txt"}
    fetch_packages(root, ["one", "two"])
    assert archive.log() == ["download one", "download two"]


def test_a_relative_root_is_the_working_folders(archive: Archive, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fetch_packages(Path("root"), ["one"])
    assert (tmp_path / "root/unpacked/usr/share/one.txt").read_text() == "1"


def test_programs_come_with_what_they_need_and_nothing_is_installed(archive: Archive, root: Path):
    archive.add("tool", {"usr/bin/tool": ""})
    archive.add("libneeded", {"usr/lib/libneeded.so.1": ""})
    fetch_packages(root, ["one"], ["tool"])
    assert files_in(unpacked(root)) == {"usr/share/one.txt", "usr/bin/tool", "usr/lib/libneeded.so.1"}
    assert "install --simulate --no-install-recommends tool" in archive.log()
    assert not any(line.startswith("install") and "--simulate" not in line for line in archive.log())


def test_a_download_that_failed_keeps_what_came_before_it_and_goes_on_there(archive: Archive, root: Path):
    (archive.folder / "two_1_all.deb").rename(archive.folder / "away")
    with pytest.raises(PreprocessError, match=r"`apt-get download two` failed with status 100:\n.*locate.*; run `apt-"):
        fetch_packages(root, ["one", "two"])
    assert files_in(root) == {"packages/one_1_all.deb"}
    (archive.folder / "away").rename(archive.folder / "two_1_all.deb")
    fetch_packages(root, ["one", "two"])
    assert archive.log() == ["download one", "download two", "download two"]
    assert (unpacked(root) / "usr/share/two.txt").is_file()


def test_a_broken_package_is_named_and_nothing_half_is_left(archive: Archive, root: Path):
    path = archive.folder / "two_1_all.deb"
    path.write_bytes(b"not a package")
    with pytest.raises(
        PreprocessError, match=r"packages/two_1_all.deb: not a whole package: `dpkg (?s:.*); delete it and run"
    ):
        fetch_packages(root, ["one", "two"])
    assert files_in(root) == {"packages/one_1_all.deb", "packages/two_1_all.deb"}
    assert not list(root.glob(".*"))


def test_without_apt_get_packages_can_be_put_there_by_hand(archive: Archive, root: Path):
    (archive.programs / "apt-get").unlink()
    with pytest.raises(PreprocessError, match=r"apt-get is not on this machine; download .* of each of one, two from"):
        fetch_packages(root, ["one", "two"])
    (root / "packages").mkdir(parents=True)
    for name in ("one", "two"):
        (archive.folder / f"{name}_1_all.deb").rename(root / "packages" / f"{name}_2_amd64.deb")
    fetch_packages(root, ["one"], ["two"])
    assert files_in(unpacked(root)) == {"usr/share/one.txt", "usr/share/two.txt"}


def test_without_dpkg_the_message_says_how_to_unpack_by_hand(archive: Archive, root: Path):
    (archive.programs / "dpkg").unlink()
    with pytest.raises(PreprocessError, match=r"dpkg is not on this machine; unpack .* into .*root/unpacked by hand"):
        fetch_packages(root, ["one"])
    (root / "unpacked").mkdir()
    fetch_packages(root, ["one"])
