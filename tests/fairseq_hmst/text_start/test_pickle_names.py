"""Names told of pickles, against what a real unpickler imports when it runs them, and files made to mislead."""

import _pickle
import io
import os
import pickle
import random
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch

from fairseq_hmst.models.pretrained import PretrainedModelError
from fairseq_hmst.text_start.pickle_names import full_name, imported_names
from fairseq_hmst.text_start.pickles import list_globals, read_checkpoint


class Imported:
    """Stands for all that is imported: it can be called, and has a state."""

    def __new__(cls, *arguments: object, **options: object) -> "Imported":
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None: ...


def imports_of(unpickler_class: type, content: bytes) -> set[str]:
    """What a real unpickler would import, until it fails or ends."""
    found = set()

    class Recording(unpickler_class):
        def find_class(self, module: str, name: str) -> object:
            found.add(full_name(module, name))
            return Imported

        def persistent_load(self, saved_id: object) -> object:
            return None

    try:
        Recording(io.BytesIO(content), encoding="utf-8").load()
    except Exception:  # whatever a program of random steps leads to
        return found
    return found


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


OS, SYSTEM, SAFE = text("posix"), text("system"), text("collections") + text("OrderedDict")
CALL, STOP, STACK_GLOBAL, MEMOIZE, POP, DUP = b"(X\x04\x00\x00\x00truetR", b".", b"\x93", b"\x94", b"0", b"2"
FORGED = {
    "names by memo": OS + b"q\x01" + POP + SYSTEM + b"q\x02" + POP + SAFE + POP + POP + b"h\x01h\x02" + STACK_GLOBAL,
    "a memo that is written twice": SAFE
    + b"q\x00"
    + POP
    + POP
    + SYSTEM
    + b"q\x00"
    + POP
    + OS
    + b"h\x00"
    + STACK_GLOBAL,
    "memoize": OS + MEMOIZE + POP + SYSTEM + MEMOIZE + POP + SAFE + POP + POP + b"h\x00h\x01" + STACK_GLOBAL,
    "strings that are dropped": OS + SYSTEM + SAFE + POP + POP + STACK_GLOBAL,
    "strings dropped to a mark": OS + SYSTEM + b"(" + SAFE + b"1" + STACK_GLOBAL,
    "a string twice": OS + SYSTEM + DUP + POP + STACK_GLOBAL,
    "old text memo": b"Vposix\np7\n0Vsystem\np8\n0" + SAFE + b"00g7\ng8\n" + STACK_GLOBAL,
    "bytes for text": b"U\x05posixU\x06system" + STACK_GLOBAL,
    "quoted text": b"S'posix'\nS'system'\n" + STACK_GLOBAL,
    "long lengths": b"X\x05\x00\x00\x00posix" + b"\x8d" + struct.pack("<Q", 6) + b"system" + STACK_GLOBAL,
    "in a tuple": OS + SYSTEM + SAFE + b"\x86" + POP + STACK_GLOBAL,
    "behind a list that is filled": OS + SYSTEM + b"](K\x01e" + POP + STACK_GLOBAL,
    "as a line": b"cposix\nsystem\n",
    "as an instance": b"(iposix\nsystem\n",
    "old name": b"ccommands\ngetoutput\n",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_hand_made_pickle_is_told_as_it_is_read(name):
    content = b"\x80\x04" + FORGED[name] + CALL + STOP
    found = imported_names(io.BytesIO(content))
    assert found == imports_of(_pickle.Unpickler, content) == imports_of(pickle._Unpickler, content)
    assert found & {"posix.system", "commands.getoutput (subprocess.getoutput)"}


@pytest.mark.parametrize(
    "content",
    [
        b"cbuiltins\nstr\n" + text("posix") + b"\x85R" + SYSTEM + STACK_GLOBAL,  # str('posix') is made on the way
        b"\x82\x01",  # an extension
        SYSTEM + STACK_GLOBAL,
        b"h\x09" + STACK_GLOBAL,
        b"K\x01K\x02" + STACK_GLOBAL,
        b"X\xff\xff\xff\x7fposix",
    ],
)
def test_a_name_that_cannot_be_told_is_refused(content):
    with pytest.raises(ValueError, match="."):
        imported_names(io.BytesIO(b"\x80\x04" + content + STOP))


STEPS = [
    OS,
    SYSTEM,
    SAFE,
    POP,
    DUP,
    STACK_GLOBAL,
    MEMOIZE,
    b"q\x01",
    b"q\x02",
    b"h\x01",
    b"h\x02",
    b"h\x00",
    b"(",
    b"1",
]
STEPS += [
    b"t",
    b"\x85",
    b"\x86",
    b"]",
    b"}",
    b"a",
    b"e",
    b"s",
    b"u",
    b")",
    b"R",
    b"\x81",
    b"b",
    b"o",
    b"N",
    b"K\x07",
    b"l",
]
STEPS += [b"\x8f", b"\x90", b"Q", b"r\x03\x00\x00\x00", b"j\x03\x00\x00\x00", b"cos\npath.join\n", b"(ios\ngetcwd\n"]


def test_of_random_programs_nothing_is_imported_that_was_not_told():
    generator, num_told, num_imported = random.Random(0), 0, 0
    for _ in range(8000):
        steps = generator.choices(STEPS, k=generator.randint(2, 14))
        content = b"\x80\x04" + OS + SYSTEM + b"".join(steps) + STOP
        imported = imports_of(_pickle.Unpickler, content)
        num_imported += bool(imported)
        try:
            told = imported_names(io.BytesIO(content))
        except ValueError:
            continue
        num_told += bool(told)
        assert imported <= told, content
    assert min(num_told, num_imported) > 200


class Command:
    """A pickle of it makes a file when it is loaded."""

    def __init__(self, trace: Path, function=Path.touch) -> None:
        self.trace, self.function = trace, function

    def __reduce__(self):
        return self.function, (self.trace,)


def write_archive(path: Path, *pickles: tuple[str, bytes]) -> Path:
    """An archive like torch's, with these records; of the same name there may be several."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in pickles:
            archive.writestr(f"model/{name}", content)
        archive.writestr("model/version", "3\n")
        archive.writestr("model/byteorder", "little")
    return path


HARMLESS = pickle.dumps(Path("x"), protocol=2)  # but more than weights


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_files_that_are_made_to_mislead_are_refused(tmp_path):
    trace, path = tmp_path / "trace", tmp_path / "model.pt"
    bad = pickle.dumps(Command(trace), protocol=2)
    for records in (
        [("data.pkl", HARMLESS), ("data.pkl", bad)],
        [("data.pkl", bad), ("data.pkl", HARMLESS)],
        [("data.pkl", HARMLESS), ("inner/data.pkl", bad)],
        [("data.pkl", HARMLESS), ("constants.pkl", bad)],
        [("other.pkl", bad)],
    ):
        write_archive(path, *records)
        with pytest.raises(PretrainedModelError, match="cannot be read"):
            read_checkpoint(path, trust_pickle=True)
    with tarfile.open(path, "w") as archive:
        for name in ("storages", "tensors", "pickle"):
            (tmp_path / name).write_bytes(bad)
            archive.add(tmp_path / name, name)
    with pytest.raises(PretrainedModelError, match="cannot be read"):
        read_checkpoint(path, trust_pickle=True)
    with pytest.raises(PretrainedModelError, match="a tar archive"):
        list_globals(path)
    assert not trace.exists()


def test_an_old_file_with_an_archive_behind_it_is_read_as_torch_reads_it(tmp_path):
    path, archive = tmp_path / "model.pt", write_archive(tmp_path / "harmless.pt", ("data.pkl", HARMLESS))
    torch.save({"x": Command(tmp_path / "trace")}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes() + archive.read_bytes())
    assert zipfile.is_zipfile(path)
    assert any("touch" in name or "getattr" in name for name in list_globals(path))


def test_an_archive_in_a_pickle_is_not_opened(tmp_path):
    inner, path = io.BytesIO(), tmp_path / "model.pt"
    torch.save(Command(tmp_path / "trace"), inner)
    for reader, data in (
        (torch.storage._load_from_bytes, inner.getvalue()),
        (pickle.loads, pickle.dumps(Command(tmp_path / "trace"))),
    ):
        torch.save({"x": Command(data, reader)}, path)
        with pytest.raises(PretrainedModelError, match="reads further pickles; their names cannot be listed"):
            read_checkpoint(path, trust_pickle=True)
    assert not (tmp_path / "trace").exists()


def test_what_is_not_on_the_list_is_not_imported(tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    for old_form in (False, True):
        torch.save({"x": Command(tmp_path / "trace", os.mkdir)}, path, _use_new_zipfile_serialization=not old_form)
        with monkeypatch.context() as context:
            context.setattr("fairseq_hmst.text_start.pickles.list_globals", lambda _: ["collections.OrderedDict"])
            with pytest.raises(PretrainedModelError, match=r"would import posix.mkdir, which it hid from the list"):
                read_checkpoint(path, trust_pickle=True)
        assert not (tmp_path / "trace").exists()
        assert "posix.mkdir" in list_globals(path)
        read_checkpoint(path, trust_pickle=True)
        (tmp_path / "trace").rmdir()
