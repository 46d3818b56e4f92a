"""A folder is taken as it is; another name is downloaded, only what is asked for."""

from pathlib import Path

import pytest
from huggingface_hub.errors import HFValidationError

from preprocess.files.program.hub import HubError, resolve_folder


def test_a_folder_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.snapshot_download", None)
    assert resolve_folder(tmp_path, ["*.json"]) == resolve_folder(str(tmp_path), ["*.json"]) == tmp_path


def test_another_name_is_downloaded_with_the_files_that_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def download(name: str, *, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert resolve_folder("someone/model", ("config.json", "*.bin")) == tmp_path
    assert asked == [("someone/model", ["config.json", "*.bin"])]


@pytest.mark.parametrize("error", [OSError("no network"), HFValidationError("not a name"), ValueError("odd")])
def test_a_name_that_is_nothing_is_refused(error: Exception, monkeypatch: pytest.MonkeyPatch):
    def refuse(name: str, **options: object) -> str:
        raise error

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(HubError, match=rf"'someone/model' is neither a folder nor a hub name .*: {error}"):
        resolve_folder("someone/model", ["*"])
