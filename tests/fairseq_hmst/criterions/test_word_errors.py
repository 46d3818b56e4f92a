"""Word errors of a CTC's best path, on a head that is made to say what it should."""

import torch
from fairseq.logging import metrics
from toy import batch_of, build_criterion, build_model, toy_sentences

from fairseq_hmst.criterions.head_losses import Distribution
from fairseq_hmst.criterions.word_errors import count_word_errors

WORDS = ["", "one", "two", "three"]  # of each label; 0 is the blank


def text_of(labels):
    return " ".join(WORDS[label] for label in labels)


def test_errors_are_those_of_the_best_path_without_its_padding():
    paths = torch.tensor([[1, 1, 0, 1, 2], [0, 3, 3, 2, 2], [0, 0, 0, 1, 1]])
    log_probs = torch.nn.functional.one_hot(paths, len(WORDS)).float().log_softmax(-1)
    is_padding = torch.tensor([[False] * 5, [False] * 3 + [True] * 2, [False] * 3 + [True] * 2])
    distribution = Distribution(log_probs, is_padding, torch.tensor([0, 2, 3]))
    transcripts = ["one one two", "not asked", "two three one", "one"]
    counts = count_word_errors(distribution, 0, transcripts, text_of)
    assert counts["source_word_errors"].tolist() == [0, 0, 2, 1]
    assert counts["source_words"].tolist() == [3, 0, 3, 1]


def test_validation_logs_the_error_rate_of_each_stream(toy_task):
    model = build_model(toy_task, "hmst_ctc_tiny", embed_dim=8, ffn_embed_dim=8, attention_heads=2, source_ctc_layer=1)
    with torch.no_grad():
        model.source_ctc_head.projection.weight.zero_()
        model.source_ctc_head.projection.bias.zero_()
        model.source_ctc_head.projection.bias[0] = 1  # all blanks: every word is deleted
    criterion = build_criterion(toy_task)
    _, _, output = criterion(model, batch_of(toy_task, [0, 1, 3, 30]))
    sentences = toy_sentences(21, seed=1)
    assert output["st_source_words"] == sum(len(sentences[row][1].split()) for row in (0, 1))  # 3 has no transcript
    assert output["st_source_word_errors"] == output["st_source_words"]
    with metrics.aggregate() as logged:
        criterion.reduce_metrics([{name: float(value) for name, value in output.items()}])
    assert logged.get_smoothed_values()["st_source_wer"] == logged.get_smoothed_values()["mt_source_wer"] == 100
    assert "st_source_words" not in criterion(model.train(), batch_of(toy_task, [0]))[2]
