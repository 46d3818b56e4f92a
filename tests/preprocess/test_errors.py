import errno
import pickle

import pytest

from preprocess.errors import AudioError, ManifestError, OptionError, Terminated, UserError, exit_status


def test_an_error_is_put_together_from_its_parts():
    assert str(UserError("too short: 10 ms")) == "too short: 10 ms"
    assert str(UserError("too short", place="a.wav", advice="leave it out")) == "a.wav: too short; leave it out"
    assert str(UserError("too short", advice="leave it out")) == "too short; leave it out"


def test_an_outer_layer_adds_its_place_and_keeps_the_parts():
    inner = AudioError("too short", place="a.wav", advice="leave it out")
    outer = inner.at("train.tsv:3", "utterance 'u1'")
    assert str(outer) == "train.tsv:3: utterance 'u1': a.wav: too short; leave it out"
    assert type(outer) is AudioError
    assert (outer.places, outer.found, outer.advice) == (
        ("train.tsv:3", "utterance 'u1'", "a.wav"),
        "too short",
        "leave it out",
    )
    assert str(inner) == "a.wav: too short; leave it out"  # as it was


def test_an_outer_layer_leaves_the_inner_error_alone_where_dask_is_loaded():
    pytest.importorskip("tblib.pickling_support").install(AudioError)
    inner = AudioError("too short", place="a.wav")
    assert str(inner.at("train.tsv:3")) == "train.tsv:3: a.wav: too short"
    assert str(inner) == "a.wav: too short"


def test_the_parts_come_back_from_another_process():
    error = ManifestError("no rows", place="train.tsv", advice="add some").at("recipe")
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), back.places) == (ManifestError, str(error), ("recipe", "train.tsv"))


@pytest.mark.parametrize(
    ("raised", "status", "printed"),
    [
        (None, 0, ""),
        (UserError("too short", place="a.wav"), 1, "error: a.wav: too short\n"),
        (OptionError("max_tokens", "must be positive"), 1, "error: --max-tokens must be positive\n"),
        (KeyboardInterrupt(), 130, "stopped\n"),
        (Terminated(), 143, "stopped (SIGTERM)\n"),
        (LookupError("no such option"), 2, "error: no such option\n"),
    ],
)
def test_a_command_prints_what_the_user_can_mend_and_has_a_status_for_it(raised, status: int, printed: str, capsys):
    def work() -> None:
        if raised is not None:
            raise raised

    assert exit_status(work, (UserError, OptionError), "stopped", (LookupError,)) == status
    assert capsys.readouterr().err == printed


def test_a_fault_of_ours_keeps_its_traceback():
    with pytest.raises(KeyError):
        exit_status(lambda: {}["x"])


@pytest.mark.parametrize(
    ("error", "printed"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "out.txt"),
            "out.txt: No space left on device; free some, or",
        ),
        (OSError(errno.EISDIR, "Is a directory", "folder"), "folder: it is a folder, not a file; name a file in it"),
        (OSError(errno.EADDRINUSE, "Address already in use"), f"[Errno {errno.EADDRINUSE}] Address already in use"),
    ],
)
def test_an_error_of_the_system_names_its_file_and_what_to_do(error: OSError, printed: str, capsys):
    def work() -> None:
        raise error

    assert exit_status(work) == 1
    assert capsys.readouterr().err.startswith(f"error: {printed}")


@pytest.mark.parametrize(("returned", "status"), [(None, 0), ("text", 0), (0, 0), (3, 3)])
def test_a_number_that_the_work_returns_is_the_status(returned: object, status: int):
    assert exit_status(lambda: returned) == status
