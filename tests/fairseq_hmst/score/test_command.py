"""hmst score against sacreBLEU's own library and command line."""

import json
import os
import random
import re

import pytest
import sacrebleu
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest
from scipy.stats import ttest_rel
from toy import run_command

from fairseq_hmst.score import References, ScoreError, ScoreOptions, score_output, score_systems
from fairseq_hmst.score.comet import CometOptions
from fairseq_hmst.score.command import main
from fairseq_hmst.score.comparison import ResamplingOptions
from fairseq_hmst.score.texts import read_lines

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


def plain_text_of(output):
    """The best hypotheses of fairseq-generate's output as plain text."""
    lines = output.read_text(encoding="utf-8").splitlines()
    best = {int(line[2:].split("\t")[0]): line.split("\t")[2] for line in reversed(lines) if line.startswith("D-")}
    return write(output.with_name("plain.txt"), [best[number] for number in range(len(best))])


def test_paired_bootstrap_is_that_of_sacrebleus_command_line(corpus, capsys):
    plain = plain_text_of(corpus["b"])
    command = ("sacrebleu", corpus["ref"], "-i", corpus["a"], plain, "-m", "bleu", "chrf", "--paired-bs", "--width", 4)
    result = run_command(*command, "--paired-bs-n", 200, "-f", "latex", SACREBLEU_SEED="77")  # its json needs numpy 1
    assert result.returncode == 0, result.stderr
    expected = [float(value) for value in re.findall(r"p = ([\d.]+)", result.stdout)]
    options = ("--resamples", 200, "--seed", 77, "--trials", 20)
    _, rows = scores(capsys, "--reference", corpus["ref"], "--hypothesis", corpus["a"], corpus["b"], *options)
    a, b = (rows[str(corpus[system]), "all"] for system in ("a", "b"))
    assert [b["bleu_paired_bs_p_value"], b["chrf_paired_bs_p_value"]] == pytest.approx(expected, abs=1e-4)
    assert (a["bleu_p_value"], a["chrf_p_value"], a["bleu_difference"]) == (None, None, None)
    assert f"BLEU       {b['bleu_signature'].replace('ar:20|', '')}" in result.stdout
    assert f"chrF2      {b['chrf_signature'].replace('ar:20|', '')}" in result.stdout


def test_p_is_that_of_sacrebleus_randomization(corpus, capsys, monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", "77")
    options = ("--trials", 500, "--seed", 77, "--resamples", 20)
    _, rows = scores(capsys, "--reference", corpus["ref"], "--hypothesis", corpus["a"], corpus["b"], *options)
    a, b = (rows[str(corpus[system]), "all"] for system in ("a", "b"))
    systems = [(path.name, read_lines(path)) for path in (corpus["a"], plain_text_of(corpus["b"]))]
    for name, metric in {"bleu": BLEU(), "chrf": CHRF()}.items():
        _, results = PairedTest(systems, {name: metric}, [read_lines(corpus["ref"])], "ar", 500)()
        ((_, expected),) = (found for key, found in results.items() if key != "System")
        assert b[f"{name}_p_value"] == expected.p_value
        low, high = b[f"{name}_difference_interval"]
        assert b[f"{name}_difference"] == pytest.approx(b[name] - a[name])
        assert low < b[f"{name}_difference"] < high
        assert b[f"{name}_interval"][0] < b[name] < b[f"{name}_interval"][1]


def test_the_same_output_twice_does_not_differ(corpus, capsys):
    copy = write(corpus["a"].with_name("copy.txt"), corpus["a"].read_text(encoding="utf-8").splitlines())
    _, rows = scores(capsys, "--reference", corpus["ref"], "--hypothesis", corpus["a"], copy, "--trials", 20)
    row = rows[str(copy), "all"]
    assert (row["bleu_p_value"], row["chrf_p_value"]) == (1.0, 1.0)
    assert (row["bleu_difference"], row["bleu_difference_interval"]) == (0, [0, 0])


def test_the_seed_decides_the_draws_and_is_read_from_no_environment(corpus, capsys, monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", "5")

    def intervals(*options):
        arguments = ("--reference", corpus["ref"], "--hypothesis", corpus["a"], corpus["b"], "--resamples", 50)
        rows = scores(capsys, *arguments, "--trials", 50, *options)[1].values()
        return [(row["bleu_interval"], row["bleu_p_value"]) for row in rows]

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
    files = ("--reference", corpus["ref"], "--languages", corpus["lang"], "--hypothesis", corpus["a"], corpus["b"])
    lines = run(capsys, *files, "--trials", 300).splitlines()
    header = re.split(r"\s{2,}", lines[0])
    wanted = ["system", "language", "sentences", "BLEU", "chrF", "brevity penalty", "length ratio"]
    assert header == wanted
    assert len(lines[1:7]) == 6
    b = re.escape(str(corpus["b"]))
    interval, difference = r"\[[\d.]+, [\d.]+\]", r"[+-][\d.]+ \[[+-][\d.]+, [+-][\d.]+\]"
    assert re.fullmatch(rf"{b}\s+es\s+13\s+[\d.]+ {interval}\s+[\d.]+ {interval}\s+[\d.]+\s+[\d.]+", lines[6])
    start = lines.index(f"Compared with {corpus['a']}:")
    assert re.split(r"\s{2,}", lines[start + 1])[2:5] == ["BLEU difference", "p BLEU", "paired-bs p BLEU"]
    assert re.fullmatch(rf"{b}\s+es" + rf"\s+{difference}\s+[01]\.\d{{4}}\s+0\.\d{{4}}" * 2, lines[start + 4])
    text = "\n".join(lines)
    assert "BLEU: nrefs:1|bs:1000|ar:300|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:" in text
    alone = run(capsys, "--reference", corpus["ref"], "--hypothesis", corpus["a"], "--resamples", 20)
    assert re.split(r"\s{2,}", alone.splitlines()[0]) == [name for name in wanted if name != "language"]
    assert "Compared" not in alone
    assert "BLEU: nrefs:1|bs:20|seed:12345|" in alone


def test_trainings_are_compared_in_pairs_and_by_their_means(corpus, capsys):
    lines = read_lines(corpus["a"])
    others = [write(corpus["a"].with_name(f"{n}.txt"), [*lines[:n], "", *lines[n + 1 :]]) for n in (1, 2)]
    files = [corpus["a"], others[0], corpus["b"], others[1]]
    options = ("--trials", 50, "--resamples", 20, "--trainings", 2)
    report, rows = scores(capsys, "--reference", corpus["ref"], "--hypothesis", *files, *options)
    bleu = [rows[str(path), "all"]["bleu"] for path in files]
    differences = [rows[str(path), "all"]["bleu_difference"] for path in files]
    assert differences == [None, None, pytest.approx(bleu[2] - bleu[0]), pytest.approx(bleu[3] - bleu[1])]
    first, second = report["trainings"]
    assert (first["trainings"], second["trainings"]) == ([*map(str, files[:2])], [*map(str, files[2:])])
    assert (first["bleu_mean"], first["bleu_p_value"]) == (pytest.approx(sum(bleu[:2]) / 2), None)
    assert second["bleu_difference"] == pytest.approx(sum(bleu[2:]) / 2 - sum(bleu[:2]) / 2)
    assert second["bleu_p_value"] == pytest.approx(ttest_rel(bleu[2:], bleu[:2]).pvalue)
    text = run(capsys, "--reference", corpus["ref"], "--hypothesis", *files, *options)
    assert "Compared with the same training of the first system:" in text
    difference = re.escape(f"{second['bleu_difference']:+.1f}")
    assert re.search(rf"\n{re.escape(str(corpus['b']))} and 1 more +[\d.]+ ± [\d.]+ +{difference} \[", text)


def test_a_system_that_lacks_a_training_is_named(corpus, capsys):
    arguments = ["--reference", corpus["ref"], "--hypothesis", corpus["a"], corpus["b"], corpus["ref"]]
    assert main([str(argument) for argument in [*arguments, "--trainings", 2]]) == 1
    assert "error: --trainings 2, but 3 files of hypotheses: a system lacks a training" in capsys.readouterr().err


def test_the_tokenizer_reaches_bleu(corpus, capsys):
    _, rows = scores(capsys, "--reference", corpus["ref"], "--hypothesis", corpus["a"], "--tokenize", "char")
    assert "tok:char" in rows[str(corpus["a"]), "all"]["bleu_signature"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trials", "3"], "--trials has no effect without several systems"),
        (["--hypothesis", "a", "b", "--trainings", "2", "--trials", "3"], "--trials has no effect without several"),
        (["--stream", "mt"], "--stream has no effect without --data"),
        (["--source", "x"], "--source has no effect without --comet-python"),
        (["--comet-python", "python"], "--comet-python needs --source"),
        (["--hypothesis", "a", "a"], "--hypothesis names a more than once"),
        (["--resamples", "0"], "--resamples must be 1 or more, got 0"),
        (["--seed", "0"], "--seed must be 1 or more, got 0"),
        (["--hypothesis", "a", "b", "--trials", "0"], "--trials must be 1 or more, got 0"),
        (["--trainings", "1"], "--trainings must be 2 or more, got 1"),
        (["--data", "x"], "not allowed with argument --reference"),
    ],
)
def test_options_without_effect_are_refused(options, message, capsys):
    with pytest.raises(SystemExit):
        main(["--reference", "ref", "--hypothesis", "a", *options])
    assert message in capsys.readouterr().err


def test_python_gives_the_table_that_the_command_prints(corpus, capsys):
    options = ScoreOptions(tokenize="char", resampling=ResamplingOptions(resamples=20, trials=30))
    table = score_systems(References.read(corpus["ref"]), [corpus["a"], corpus["b"]], options)
    arguments = ["--reference", corpus["ref"], "--hypothesis", corpus["a"], corpus["b"]]
    assert run(capsys, *arguments, "--tokenize", "char", "--resamples", 20, "--trials", 30) == table.as_text() + "\n"
    assert "BLEU: nrefs:1|bs:20|ar:30|seed:12345|case:mixed|eff:no|tok:char|" in table.as_text()
    with pytest.raises(ScoreError, match="--comet-python needs --source"):
        score_systems(table.references, [corpus["a"]], ScoreOptions(comet=CometOptions(python="python")))


def test_it_is_a_subcommand_of_hmst(corpus):
    result = run_command("hmst", "score", "--reference", corpus["ref"], "--hypothesis", corpus["ref"])
    assert (result.returncode, result.stdout.split()[:2]) == (0, ["system", "sentences"]), result.stderr
