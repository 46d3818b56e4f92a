import pytest
from generate_outputs import output_of

from fairseq_hmst.score.texts import References, ScoreError, read_hypotheses, read_lines


@pytest.fixture
def references(tmp_path):
    path = tmp_path / "ref.txt"
    path.write_text("one\ntwo\nthree\n", encoding="utf-8")
    return References.read(path)


def hypotheses(tmp_path, text):
    path = tmp_path / "hyp.txt"
    path.write_bytes(text.encode())
    return path


def test_of_an_n_best_list_the_first_is_taken_and_numbers_give_the_order(tmp_path, references):
    path = hypotheses(tmp_path, output_of({2: ["c"], 0: ["a", "worse"], 1: [""]}))
    assert read_hypotheses(path, references) == ["a", "", "c"]


def test_plain_text_may_have_empty_lines_a_bom_windows_line_ends_and_no_last_one(tmp_path, references):
    assert read_hypotheses(hypotheses(tmp_path, "\ufeffa\r\n\r\nc"), references) == ["a", "", "c"]


def test_only_a_line_feed_ends_a_line(tmp_path, references):
    path = hypotheses(tmp_path, "a\u2028a\nb\x0bb\nc\n")
    assert read_hypotheses(path, references) == ["a\u2028a", "b\x0bb", "c"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (output_of({0: ["a"], 2: ["c"]}), "2 hypotheses, 3 references; first sentence without its counterpart: 1"),
        (output_of({0: ["a"], 1: ["b"], 2: ["c"], 7: ["d"]}), "4 hypotheses, 3 .* first .* its counterpart: 7"),
        ("a\nb\n", "hyp.txt and .*ref.txt do not fit: 2 lines, 3 references; first line without its counterpart: 3"),
        ("a\nb\nc\nd\n", "4 lines, 3 references; first line without its counterpart: 4"),
        ("", "hyp.txt: empty"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, references, text, message):
    with pytest.raises(ScoreError, match=message):
        read_hypotheses(hypotheses(tmp_path, text), references)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(ScoreError, match="missing.txt: cannot be read: No such file"):
        read_lines(tmp_path / "missing.txt")
    (tmp_path / "latin").write_bytes("für\n".encode("latin-1"))
    with pytest.raises(ScoreError, match="latin: not UTF-8: .* at byte 1"):
        read_lines(tmp_path / "latin")


def test_languages_must_be_parallel_to_references(tmp_path):
    for name, text in {"ref": "a\nb\n", "lang": "de\n"}.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ScoreError, match="lang and .*ref do not fit: 1 languages, 2 references; first line .*: 2"):
        References.read(tmp_path / "ref", tmp_path / "lang")


def test_a_data_bin_without_these_references_is_refused_with_those_it_has(two_target_data_bin, tmp_path):
    with pytest.raises(ScoreError, match="no references of 'test2.st'; it has: test.mt, test.st, valid.mt, valid.st"):
        References.of_data_bin(two_target_data_bin, "test2", "st")
    with pytest.raises(ScoreError, match="is not a finished output of the stage 'binarize': it has no card.json"):
        References.of_data_bin(tmp_path, "test", "st")
