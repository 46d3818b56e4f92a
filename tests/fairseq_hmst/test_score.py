import pytest
import sacrebleu

from fairseq_hmst.score import ScoreError, read_generate_output, score_output

HYPOTHESES = ["le chat dort sur la table", "un chien rouge court vite", "bonjour"]
REFERENCES = ["le chat dort sous la table", "un chien rouge court vite ici", "bonjour à tous"]


@pytest.fixture
def files(tmp_path):
    order = (2, 0, 1)  # fairseq prints in the order of batches
    lines = ["INFO something", *(f"D-{i}\t-0.5\t{HYPOTHESES[i]}" for i in order), "D-2\t-1.5\tsecond best"]
    output, references = tmp_path / "generate-test.txt", tmp_path / "ref.txt"
    output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    references.write_text("\n".join(REFERENCES) + "\n", encoding="utf-8")
    return output, references


def test_scores_equal_sacrebleus(files):
    score = score_output(*files)
    expected = sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES])
    assert (score.bleu, score.bp) == (expected.score, expected.bp)
    assert score.length_ratio == expected.sys_len / expected.ref_len
    assert score.chrf == sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score
    assert "tok:13a" in score.bleu_signature


def test_a_missing_hypothesis_is_an_error(files):
    output, references = files
    output.write_text(output.read_text().replace("D-1\t-0.5", "X-1\t-0.5"))
    with pytest.raises(ScoreError, match="2 hypotheses, 3 references; first sentence without its counterpart: 1"):
        score_output(output, references)


def test_a_file_without_hypotheses_is_an_error(tmp_path):
    (tmp_path / "log").write_text("INFO\n")
    with pytest.raises(ScoreError, match="is it the output of fairseq-generate"):
        read_generate_output(tmp_path / "log")
