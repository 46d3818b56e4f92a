"""Options of the page: bounds, names of the host, logins, and what is said of a page that is open to the network."""

import socket

import pytest

from fairseq_hmst.demo.command import warnings_of
from fairseq_hmst.demo.options import DemoOptions
from preprocess.errors import OptionError


@pytest.mark.parametrize("name", ["max_minutes", "max_megabytes", "max_characters"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_bound_must_be_above_0(name, value):
    with pytest.raises(OptionError, match=f"{name} must be above 0"):
        DemoOptions(**{name: value})


def test_names_of_the_host():
    local = {"localhost", "127.0.0.1", "::1"}
    assert DemoOptions(allow_host=("Demo.example",)).host_names == local | {"demo.example"}
    assert DemoOptions(host="[::1]").host_names == local
    assert DemoOptions(host="here.example").host_names == local | {"here.example"}
    assert DemoOptions(host="0.0.0.0").host_names == local | {socket.gethostname().lower()}


def test_a_page_on_this_computer_has_nothing_to_be_said():
    for host in ("127.0.0.1", "localhost", "::1", "[::1]"):
        assert list(warnings_of(DemoOptions(host=host), 7860)) == []


def test_a_page_that_is_open_to_the_network_says_so(tmp_path):
    where, warning = warnings_of(DemoOptions(host="0.0.0.0"), 7861)
    assert where == "listening on all addresses of this machine, port 7861"
    assert "anyone who can reach this machine over the network can use the page" in warning and "--auth" in warning
    where, warning = warnings_of(DemoOptions(host="10.1.2.3", auth=tmp_path / "logins"), 7861)
    assert where == "listening on 10.1.2.3, port 7861"
    assert "unencrypted" in warning and "anyone" not in warning


def test_logins_are_read_from_a_file_of_the_user_alone(tmp_path):
    path = tmp_path / "logins"
    assert DemoOptions().read_logins() is None
    path.write_text("ann:pass:word\n\nbob:secret\n")
    path.chmod(0o644)
    with pytest.raises(OptionError, match="other users may read it; chmod 600"):
        DemoOptions(auth=path).read_logins()
    path.chmod(0o600)
    assert DemoOptions(auth=path).read_logins() == [("ann", "pass:word"), ("bob", "secret")]
    for content in ("", "ann\n", "ann:\n", ":secret\n"):
        path.write_text(content)
        with pytest.raises(OptionError, match="expected lines USER:PASSWORD"):
            DemoOptions(auth=path).read_logins()


def test_a_password_in_place_of_a_file_is_not_repeated(tmp_path):
    with pytest.raises(OptionError, match="takes a file with lines USER:PASSWORD") as caught:
        DemoOptions(auth=tmp_path / "ann:secret").read_logins()
    assert "secret" not in str(caught.value)
