"""Text of pieces, with spaces between words and without: SentencePiece's own, and the same in every command."""

import math
import random
import re

import pytest
import sacrebleu
import torch
from prompt_models import configuration, generate_here, random_checkpoint
from sacrebleu.metrics import BLEU
from scripts import WORDS, make_scripts_data_bin
from toy import build_task

from fairseq_hmst.score import References, score_output
from fairseq_hmst.score.texts import read_hypotheses

# as sacreBLEU's authors have it, but Japanese and Korean, whose tokenizers are not installed
TOKENIZERS = {"zh": "zh", "ja": "char", "th": "char", "ko": "char", "fr": "13a"}


@pytest.fixture(scope="module")
def data_bin(tmp_path_factory):
    return make_scripts_data_bin(tmp_path_factory.mktemp("scripts"))


@pytest.fixture(scope="module")
def checkpoint(data_bin, tmp_path_factory):
    return random_checkpoint(tmp_path_factory.mktemp("random") / "ctc.pt", data_bin)


@pytest.fixture(scope="module")
def task(data_bin):
    return build_task(data_bin, eval_stream="mt")


def read(data_bin, name):
    return (data_bin / name).read_text(encoding="utf-8").splitlines()


def test_each_reference_comes_back_from_its_pieces(task, data_bin):
    dataset = task.dataset("valid")
    references, languages = read(data_bin, "valid.st.ref.txt"), read(data_bin, "valid.st.lang.txt")
    assert set(languages) == set(WORDS)
    for row, reference in enumerate(references):
        assert task.text.target(dataset[row]["target"]) == reference


@pytest.mark.parametrize("post_process", [None, "sentencepiece", "@@ ", "letter"])
def test_any_pieces_are_the_text_that_sentencepiece_makes_of_them(task, post_process):
    model, dictionary = task.data_bin.subword_model("target"), task.target_dictionary
    bpe, generator = task.build_bpe(None), random.Random(0)
    text_ids = range(4, 4 + task.data_bin.card.dictionary.target_subwords)
    rows = [[index] for index in text_ids] + [generator.choices(text_ids, k=generator.randint(2, 5)) for _ in range(99)]
    rows += [[], [dictionary.unk()], [10, dictionary.unk(), 11]]
    for row in rows:
        expected = model.decode([dictionary[index] for index in row]).strip()
        assert " " not in expected or "▁" in "".join(dictionary[index] for index in row) or dictionary.unk() in row
        ids = torch.tensor([*row, dictionary.eos()])
        assert task.text.target(ids) == expected
        assert bpe.decode(dictionary.string(ids, post_process)) == expected


def interactive(capsys, data_bin, checkpoint, lines_file, *options):
    """Texts that fairseq-interactive prints, by number of the line; exit status; what it says on stderr."""
    import fairseq_cli.interactive

    command = ["--task", "hmst_translation", "--path", checkpoint, "--input", lines_file, *options]
    cfg = configuration("interactive", data_bin, *command)
    status = 0
    capsys.readouterr()
    try:
        fairseq_cli.interactive.main(cfg)
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    found = {}
    for number, text in re.findall(r"^D-(\d+)\t\S+\t(.*)$", captured.out, re.MULTILINE):
        found.setdefault(int(number), []).append(text)
    return found, status, captured.err


def test_every_command_gives_the_same_text(task, data_bin, checkpoint, tmp_path, capsys):
    from fairseq_hmst.export import export
    from fairseq_hmst.translate import Translator

    options = ("--eval-stream", "mt", "--beam", 3, "--nbest", 3)
    output = tmp_path / "generate-test.txt"
    nbest = [[text for text, _ in found] for found in generate_here(data_bin, checkpoint, *options, output=output)]
    assert any(" " in text for texts in nbest for text in texts)
    languages = read(data_bin, "test.mt.lang.txt")
    references = References.of_data_bin(data_bin, "test", "mt")
    assert read_hypotheses(output, references) == [texts[0] for texts in nbest]
    check_score(output, references, languages, [texts[0] for texts in nbest])

    lines = [task.text.transcript(row[:-1]) for row in mt_transcripts(data_bin)]
    export([[checkpoint]], data_bin, tmp_path / "model")
    translator = Translator.from_pretrained(tmp_path / "model", beam=3, nbest=3)
    for language in WORDS:
        rows = [row for row, found in enumerate(languages) if found == language]
        chosen = [lines[row] for row in rows]
        expected = [nbest[row] for row in rows]
        translated = translator.translate_text(chosen, target_language=language)
        assert [[one.text for one in found.segments[0].nbest] for found in translated] == expected
        (tmp_path / "lines.txt").write_text("\n".join(chosen) + "\n", encoding="utf-8")
        command = (*options, "--target-language", language)
        found, status, _ = interactive(capsys, data_bin, checkpoint, tmp_path / "lines.txt", *command)
        assert (status, [found[number] for number in range(len(rows))]) == (0, expected)


def mt_transcripts(data_bin):
    task = build_task(data_bin, eval_stream="mt")
    task.load_dataset("test")
    return [task.dataset("test")[row]["transcript"] for row in range(len(task.dataset("test")))]


def check_score(output, references, languages, hypotheses):
    """fairseq-generate's last line and `hmst score` against sacreBLEU on what its tokenizers make of each sentence."""

    def tokenize(texts):
        return [BLEU(tokenize=TOKENIZERS[name]).tokenizer(text) for name, text in zip(languages, texts, strict=True)]

    expected = sacrebleu.corpus_bleu(tokenize(hypotheses), [tokenize(references.lines)], tokenize="none", force=True)
    last = output.read_text(encoding="utf-8").splitlines()[-1]
    assert last.startswith(f"Generate test with beam=3: {expected.format()} nrefs:1|case:mixed|eff:no|tok:13a+char+zh|")
    score = score_output(output, references)
    assert (score.bleu, score.bp) == (expected.score, expected.bp)
    assert "tok:13a+char+zh|" in score.bleu_signature


def test_validation_scores_each_language_by_its_tokenizer(data_bin):
    """Hypotheses are the references, the first of each language without its last letter."""
    from fairseq.logging import metrics

    from fairseq_hmst.bleu import BleuScorer
    from fairseq_hmst.tasks.validation.scores import ScoredText, log_scores, score_groups, score_statistics

    references, languages = read(data_bin, "valid.st.ref.txt"), read(data_bin, "valid.st.lang.txt")
    hypotheses = [text if row > 5 else text[:-2] for row, text in enumerate(references)]
    texts = [ScoredText("st", *row) for row in zip(languages, hypotheses, references, strict=True)]
    groups = score_groups(["st"], "st", [*WORDS])
    for tokenizer in ("auto", "13a"):
        scorer = BleuScorer(tokenizer)
        with metrics.aggregate() as values:
            log_scores([score_statistics(batch, groups, scorer) for batch in (texts[:7], texts[7:])], groups)
        found = values.get_smoothed_values()
        for language, own in TOKENIZERS.items():
            rows = [row for row, name in enumerate(languages) if name == language]
            chosen = [[several[row] for row in rows] for several in (hypotheses, references)]
            name = own if tokenizer == "auto" else tokenizer
            expected = sacrebleu.corpus_bleu(chosen[0], [chosen[1]], tokenize=name)
            assert found[f"bleu_{language}"] == pytest.approx(expected.score, abs=0.006)
    assert math.isclose(found["bleu_zh"], 0, abs_tol=20)


def test_a_line_costs_itself_alone_and_is_read_as_training_read_it(task, data_bin, checkpoint, tmp_path, capsys):
    lines = [
        "hello world",
        "",
        "caf\udce9 world",
        "hello\u00a0 world",
        " hello\u202fworld",
        "good today",
        "hello " * 3000,
    ]
    path = tmp_path / "lines.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode(errors="surrogateescape") + b"\n")
    options = ("--eval-stream", "mt", "--target-language", "fr")
    for buffer_size in (1, 4):
        sizes = ("--buffer-size", buffer_size)
        found, status, errors = interactive(capsys, data_bin, checkpoint, path, *options, *sizes)
        assert status == "error: 2 of the lines could not be translated"
        assert found[0] == found[3] == found[4] != found[5]
        assert found[1] == found[2] == found[6] == [""]
        assert f"error: {path}:3: expected UTF-8, found the byte 0xE9; convert the file\n" in errors
        assert f"error: {path}:7: too long: " in errors
        assert errors.count("error: ") == 2


def test_a_line_of_units_with_repetitions_is_refused_with_its_place(data_bin, checkpoint, tmp_path, capsys):
    (tmp_path / "units").write_text("0 1 2 3\n0 1 1 2\n4 x\n")
    command = ("--target-language", "fr")
    found, status, errors = interactive(capsys, data_bin, checkpoint, tmp_path / "units", *command)
    assert status == "error: 2 of the lines could not be translated"
    assert len(found) == 3
    assert (
        f"error: {tmp_path}/units:2: the line is not deduplicated: unit 1 stands twice in a row (positions 2 and 3); "
        "make runs into one unit first\n"
    ) in errors
    assert f"error: {tmp_path}/units:3: expected unit ids in 0..31 separated by spaces, found 'x'" in errors
