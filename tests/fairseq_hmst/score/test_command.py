"""hmst score against sacreBLEU's own library and command line."""

import json
import os
import random
import re

import pytest
import sacrebleu
from toy import run_command

from fairseq_hmst.score import References, ScoreError, ScoreOptions, score_output, score_systems
from fairseq_hmst.score.comet import CometOptions
from fairseq_hmst.score.command import main
from fairseq_hmst.score.corpus import BootstrapOptions

HYPOTHESES = ["le chat dort sur la table", "un chien rouge court vite", "bonjour"]
REFERENCES = ["le chat dort sous la table", "un chien rouge court vite ici", "bonjour à tous"]
WORDS = "der die das Hund Katze Haus rot blau läuft schläft heute morgen nicht und .".split()


def write(path, lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def generate_output(path, hypotheses):
    """As fairseq-generate prints: in the order of batches, n-best lists, log lines in between."""
    order = sorted(range(len(hypotheses)), key=lambda number: -len(hypotheses[number]))
    lines = ["INFO something"]
    for number in order:
        lines.append(f"T-{number}\twhatever")
        for text in (hypotheses[number], "second best"):
            lines += [f"H-{number}\t-0.5\tpieces", f"D-{number}\t-0.5\t{text}", f"P-{number}\t-0.5"]
    return write(path, [*lines, "Generate test with beam=5: BLEU = 1.0"])


@pytest.fixture
def corpus(tmp_path):
    """References, languages, and two systems of which the second makes fewer mistakes."""
    generator = random.Random(0)
    references = [" ".join(generator.choices(WORDS, k=generator.randint(4, 12))) for _ in range(40)]

    def spoil(line, share):
        return " ".join(generator.choice(WORDS) if generator.random() < share else word for word in line.split()[:9])

    return {
        "ref": write(tmp_path / "ref.txt", references),
        "lang": write(tmp_path / "lang.txt", [("de", "es", "de")[number % 3] for number in range(40)]),
        "a": write(tmp_path / "a.txt", [spoil(line, 0.35) for line in references]),
        "b": generate_output(tmp_path / "b.txt", [spoil(line, 0.2) for line in references]),
    }


def run(capsys, *arguments):
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def scores(capsys, *arguments):
    report = json.loads(run(capsys, *arguments, "--format", "json"))
    return report, {(row["system"], row["language"]): row for row in report["scores"]}


@pytest.mark.parametrize("write_file", [write, generate_output])
def test_scores_equal_sacrebleus(tmp_path, write_file):
    output = write_file(tmp_path / "output.txt", HYPOTHESES)
    score = score_output(output, write(tmp_path / "ref.txt", REFERENCES))
    expected = sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES])
    assert (score.bleu, score.bp) == (expected.score, expected.bp)
    assert score.length_ratio == expected.sys_len / expected.ref_len
    assert score.chrf == sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score
    assert score.sentences == 3
    assert "tok:13a" in score.bleu_signature


def test_two_systems_are_compared_as_by_sacrebleus_command_line(corpus, capsys):
    lines = corpus["b"].read_text(encoding="utf-8").splitlines()
    best = {int(line[2:].split("\t")[0]): line.split("\t")[2] for line in reversed(lines) if line.startswith("D-")}
    plain = write(corpus["b"].with_name("plain.txt"), [best[number] for number in range(40)])
    command = ("sacrebleu", corpus["ref"], "-i", corpus["a"], plain, "-m", "bleu", "chrf", "--paired-bs", "--width", 4)
    result = run_command(*command, "--paired-bs-n", 200, "-f", "latex", SACREBLEU_SEED="77")  # its json needs numpy 1
    assert result.returncode == 0, result.stderr
    without_means = re.sub(r"\([\d.]+ ±", "", result.stdout)  # of the resamples; the score itself is given besides
    expected = [[*map(float, re.findall(r"\d+\.\d{4}", line))] for line in without_means.splitlines()]
    expected = [numbers for numbers in expected if numbers]
    options = ("--resamples", 200, "--seed", 77)
    _, rows = scores(capsys, "--reference", corpus["ref"], "--hypothesis", corpus["a"], corpus["b"], *options)
    a, b = (rows[str(corpus[system]), "all"] for system in ("a", "b"))
    found = [[a["bleu"], a["bleu_interval"], a["chrf"], a["chrf_interval"]]]
    found += [[b["bleu"], b["bleu_interval"], b["bleu_p_value"], b["chrf"], b["chrf_interval"], b["chrf_p_value"]]]
    assert found == [pytest.approx(numbers, abs=1e-4) for numbers in expected]
    assert (a["bleu_p_value"], a["chrf_p_value"]) == (None, None)
    assert f"BLEU       {b['bleu_signature']}" in result.stdout
    assert f"chrF2      {b['chrf_signature']}" in result.stdout


def test_equal_systems_differ_by_chance_for_certain(corpus, capsys):
    copy = write(corpus["a"].with_name("copy.txt"), corpus["a"].read_text(encoding="utf-8").splitlines())
    _, rows = scores(capsys, "--reference", corpus["ref"], "--hypothesis", corpus["a"], copy, "--resamples", 20)
    assert (rows[str(copy), "all"]["bleu_p_value"], rows[str(copy), "all"]["chrf_p_value"]) == (1.0, 1.0)


def test_the_seed_decides_the_draws_and_is_read_from_no_environment(corpus, capsys, monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", "5")

    def intervals(*options):
        arguments = ("--reference", corpus["ref"], "--hypothesis", corpus["a"], corpus["b"], "--resamples", 50)
        return [row["bleu_interval"] for row in scores(capsys, *arguments, *options)[1].values()]

    assert intervals() == intervals("--seed", 12345) != intervals("--seed", 5)
    assert os.environ["SACREBLEU_SEED"] == "5"


def test_each_language_is_scored_on_its_sentences_alone(corpus, capsys):
    report, rows = scores(
        capsys, "--reference", corpus["ref"], "--languages", corpus["lang"], "--hypothesis", corpus["a"]
    )
    assert [language for _, language in rows] == ["all", "de", "es"]
    languages = corpus["lang"].read_text().split()
    for language in ("de", "es"):
        texts = [corpus[name].read_text(encoding="utf-8").splitlines() for name in ("a", "ref")]
        hypotheses, references = (
            [line for line, found in zip(lines, languages, strict=True) if found == language] for lines in texts
        )
        expected = sacrebleu.corpus_bleu(hypotheses, [references])
        row = rows[str(corpus["a"]), language]
        assert (row["bleu"], row["bp"], row["sentences"]) == (expected.score, expected.bp, len(references))
    assert report["data"] is None


def test_a_data_bin_gives_references_languages_and_its_signature(two_target_data_bin, tmp_path, capsys):
    references = two_target_data_bin / "test.st.ref.txt"
    report, rows = scores(capsys, "--data", two_target_data_bin, "--hypothesis", references)
    assert report["data"] == json.loads((two_target_data_bin / "card.json").read_text(encoding="utf-8"))["signature"]
    assert [language for _, language in rows] == ["all", "de", "fr"]
    assert {row["chrf"] for row in rows.values()} == {100.0}
    valid = two_target_data_bin / "valid.mt.ref.txt"
    run(capsys, "--data", two_target_data_bin, "--split", "valid", "--stream", "mt", "--hypothesis", valid)
    with pytest.raises(SystemExit):
        main(["--data", str(two_target_data_bin), "--languages", str(valid), "--hypothesis", str(valid)])


def test_the_table_shows_a_row_a_system_and_language_and_the_signatures(corpus, capsys):
    lines = run(
        capsys, "--reference", corpus["ref"], "--languages", corpus["lang"], "--hypothesis", corpus["a"], corpus["b"]
    ).splitlines()
    header = re.split(r"\s{2,}", lines[0])
    wanted = ["system", "language", "sentences", "BLEU", "p BLEU", "chrF", "p chrF", "brevity penalty", "length ratio"]
    assert header == wanted
    assert len(lines[1:7]) == 6
    assert re.fullmatch(rf"{re.escape(str(corpus['b']))}\s+es\s+13\s+[\d.]+ ± [\d.]+\s+0\.\d{{4}}\s.*", lines[6])
    text = "\n".join(lines)
    assert "BLEU: nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:" in text
    alone = run(capsys, "--reference", corpus["ref"], "--hypothesis", corpus["a"])
    assert re.split(r"\s{2,}", alone.splitlines()[0]) == [name for name in wanted if name[:2] not in ("la", "p ")]


def test_the_tokenizer_reaches_bleu(corpus, capsys):
    _, rows = scores(capsys, "--reference", corpus["ref"], "--hypothesis", corpus["a"], "--tokenize", "char")
    assert "tok:char" in rows[str(corpus["a"]), "all"]["bleu_signature"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seed", "3"], "--seed has no effect without several systems"),
        (["--resamples", "3"], "--resamples has no effect without several systems"),
        (["--stream", "mt"], "--stream has no effect without --data"),
        (["--source", "x"], "--source has no effect without --comet-python"),
        (["--comet-python", "python"], "--comet-python needs --source"),
        (["--hypothesis", "a", "a"], "--hypothesis names a more than once"),
        (["--hypothesis", "a", "b", "--resamples", "0"], "--resamples must be 1 or more, got 0"),
        (["--data", "x"], "not allowed with argument --reference"),
    ],
)
def test_options_without_effect_are_refused(options, message, capsys):
    with pytest.raises(SystemExit):
        main(["--reference", "ref", "--hypothesis", "a", *options])
    assert message in capsys.readouterr().err


def test_a_seed_that_sacrebleu_would_ignore_is_refused(corpus, capsys):
    arguments = ["--reference", corpus["ref"], "--hypothesis", corpus["a"], corpus["b"], "--seed", 0]
    assert main([str(argument) for argument in arguments]) == 1
    assert "error: --seed must be 1 or more (sacreBLEU takes 0 for no seed), got 0" in capsys.readouterr().err


def test_python_gives_the_table_that_the_command_prints(corpus, capsys):
    options = ScoreOptions(tokenize="char", bootstrap=BootstrapOptions(resamples=20))
    table = score_systems(References.read(corpus["ref"]), [corpus["a"], corpus["b"]], options)
    arguments = ["--reference", corpus["ref"], "--hypothesis", corpus["a"], corpus["b"]]
    assert run(capsys, *arguments, "--tokenize", "char", "--resamples", 20) == table.as_text() + "\n"
    assert "BLEU: nrefs:1|bs:20|seed:12345|case:mixed|eff:no|tok:char|" in table.as_text()
    with pytest.raises(ScoreError, match="--comet-python needs --source"):
        score_systems(table.references, [corpus["a"]], ScoreOptions(comet=CometOptions(python="python")))


def test_it_is_a_subcommand_of_hmst(corpus):
    result = run_command("hmst", "score", "--reference", corpus["ref"], "--hypothesis", corpus["ref"])
    assert (result.returncode, result.stdout.split()[:2]) == (0, ["system", "sentences"]), result.stderr
