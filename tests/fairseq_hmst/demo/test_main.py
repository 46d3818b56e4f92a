"""The command hmst demo where it cannot serve."""

import sys

from fairseq_hmst.demo.command import main, make_parser


def test_without_gradio_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert main(["model"]) == 1
    assert 'pip install "fairseq_hmst[demo]"' in capsys.readouterr().err


def test_it_serves_this_computer_alone_by_default():
    assert make_parser().parse_args(["model"]).host == "127.0.0.1"
