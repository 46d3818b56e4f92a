"""Variations of a training's streams, against the data-bin's own models and the rows as they are stored."""

import io

import numpy as np
import pytest
import sentencepiece
import torch
from toy import build_model, epoch_rows, loaded_training, training_task

from fairseq_hmst.data.language_symbols import LanguageSymbolIds
from fairseq_hmst.data.stream_rows import load_stream
from fairseq_hmst.data.twins import RepeatedText
from fairseq_hmst.data.variation.draws import Draws
from fairseq_hmst.data.variation.prefixes import Cuts
from fairseq_hmst.tasks.prefixes.adding import add_prefixes
from fairseq_hmst.tasks.variation import building, repetition_rule
from preprocess.errors import OptionError
from preprocess.files.tokens.ctc_steps import needed_for_ctc

NUM_SPEECH = 300
SYMBOLS = LanguageSymbolIds(2)


def text_of(task, row):
    """Units or text once, target and transcript of an example as texts, without symbols."""
    data_bin, symbols = task.data_bin, task.data_bin.language_symbols
    source, target, transcript = (torch.tensor(tokens) for tokens in row)
    pieces = [task.source_dictionary[token] for token in symbols.without_symbol(source)[:-1].tolist()]
    spoken = [task.source_dictionary[token] for token in transcript[:-1].tolist()]
    written = [task.target_dictionary[token] for token in symbols.labels(target).tolist()]
    return "".join(pieces), data_bin.join_target(written), data_bin.join_source(spoken)


def has_path(task, row):
    labels = task.data_bin.language_symbols.labels(torch.tensor(row[1])).numpy()
    return len(row[0]) >= max(needed_for_ctc(labels), needed_for_ctc(np.array(row[2][:-1], dtype=int)))


@pytest.mark.parametrize("fixture", ["toy_data_bin", "two_target_data_bin"])
def test_sampled_rows_are_of_the_same_units_and_texts_and_have_a_path(request, fixture):
    data_bin = request.getfixturevalue(fixture)
    stored, sampled = (
        loaded_training(data_bin),
        loaded_training(data_bin, sample_pieces="units,source,target", sampling_alpha=0.1),
    )
    before = epoch_rows(stored)
    epochs = {epoch: epoch_rows(sampled, epoch) for epoch in (1, 2)}
    assert epochs[1] != epochs[2]
    assert (
        epoch_rows(loaded_training(data_bin, sample_pieces="units,source,target", sampling_alpha=0.1), 2) == epochs[2]
    )
    longest = [max(len(row[side]) for row in before[:NUM_SPEECH]) for side in range(3)]
    for side in range(3):
        changed = [a[side] != b[side] for a, b in zip(before, epochs[1], strict=True)]
        assert any(changed), side  # many are kept, since the corpus leaves CTC little room
    for old, new in zip(before, epochs[1], strict=True):
        old_texts, new_texts = text_of(stored, old), text_of(sampled, new)
        assert new_texts[1:] == old_texts[1:]
        assert has_path(sampled, new) or not has_path(stored, old)
    for old, new in zip(before[:NUM_SPEECH], epochs[1][:NUM_SPEECH], strict=True):
        assert text_of(sampled, new)[0] == text_of(stored, old)[0]
        assert all(len(tokens) <= bound for tokens, bound in zip(new, longest, strict=True))
    symbols, repeat = sampled.data_bin.language_symbols, sampled.data_bin.card.repeat
    for row in epochs[1][NUM_SPEECH:]:  # text is its transcript, repeated
        once = symbols.without_symbol(torch.tensor(row[0]))[:-1][::repeat]
        assert once.tolist() == list(row[2][:-1])


def test_only_what_is_asked_for_is_sampled(toy_data_bin):
    before = epoch_rows(loaded_training(toy_data_bin))
    for side in ("units", "target", "source"):
        after = epoch_rows(loaded_training(toy_data_bin, sample_pieces=side, sampling_alpha=0.1))
        for rows, is_speech in ((slice(0, NUM_SPEECH), True), (slice(NUM_SPEECH, None), False)):
            pairs = list(zip(before[rows], after[rows], strict=True))
            changed = {kind for kind in range(3) if any(a[kind] != b[kind] for a, b in pairs)}
            expected = {"units": {0} if is_speech else set(), "target": {1}, "source": {2} if is_speech else {0, 2}}
            assert changed <= expected[side]
            assert changed == expected[side] or side == "target"


@pytest.mark.parametrize("rule", ["fixed", "normal", "characters"])
def test_jitter_repeats_the_text_of_streams_and_twins_and_nothing_else(toy_data_bin, monkeypatch, rule):
    number = len(loaded_training(toy_data_bin).source_dictionary)
    monkeypatch.setattr(
        repetition_rule, "characters_of_pieces", lambda data_bin: np.arange(number) % 3 + 1
    )  # the corpus has letters
    plain = loaded_training(toy_data_bin, {"consistency_weight": 1.0})
    task = loaded_training(toy_data_bin, {"consistency_weight": 1.0}, repeat_jitter=rule)
    before, after = epoch_rows(plain), epoch_rows(task)
    assert after[:NUM_SPEECH] == before[:NUM_SPEECH]
    dataset = task.dataset("train")
    lengths = {"even": [], "drawn": []}
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        assert new[1:] == old[1:]
        inputs = [(new[0], old[0])]
        if index < NUM_SPEECH:
            twin, even = dataset[index]["twin"], plain.dataset("train")[index]["twin"]
            inputs = [] if twin is None else [(tuple(twin.tolist()), tuple(even.tolist()))]
            assert (twin is None) == (even is None)
        for tokens, even in inputs:
            runs = [token for number, token in enumerate(tokens) if number == 0 or token != tokens[number - 1]]
            assert runs == [token for number, token in enumerate(even) if number == 0 or token != even[number - 1]]
            lengths["drawn"].append(len(tokens))
            lengths["even"].append(len(even))
    assert lengths["drawn"] != lengths["even"]
    assert sum(lengths["drawn"]) == pytest.approx(sum(lengths["even"]), rel=0.06)
    assert epoch_rows(task, 2) != after


def test_sizes_are_those_of_the_rows_of_each_epoch(toy_data_bin):
    options = {"sample_pieces": "units,source,target", "repeat_jitter": "normal", "join_share": 0.5}
    task = loaded_training(toy_data_bin, {"consistency_weight": 1.0}, **options)
    dataset = task.dataset("train")
    for epoch in (1, 2):
        dataset.set_epoch(epoch)
        for index in range(0, len(dataset), 7):
            example = dataset[index]
            longest = max(len(example["source"]), 0 if example["twin"] is None else len(example["twin"]))
            assert dataset.size(index) == (longest, len(example["target"]))


def test_joined_rows_are_two_of_the_speaker_and_no_longer_than_the_longest(two_target_data_bin):
    plain, task = loaded_training(two_target_data_bin), loaded_training(two_target_data_bin, join_share=0.5)
    before, after = epoch_rows(plain), epoch_rows(task)
    assert after[NUM_SPEECH:] == before[NUM_SPEECH:]
    first, last = task.data_bin.language_symbols.source_edges
    joined = [row for row in range(NUM_SPEECH) if after[row] != before[row]]
    assert 0 < len(joined) <= NUM_SPEECH / 2
    assert len(joined) > 20
    longest = [max(len(row[side]) for row in before[:NUM_SPEECH]) for side in range(3)]
    endings = {(row[0][first:], row[1][1:]) for row in before[:NUM_SPEECH]}  # of one target language the symbol is one
    for row in joined:
        (source, target, spoken), (old_source, old_target, old_spoken) = after[row], before[row]
        assert source[: len(old_source) - last] == old_source[: len(old_source) - last]
        assert target[: len(old_target) - 1] == old_target[:-1]
        assert (source[len(old_source) - last :], target[len(old_target) - 1 :]) in endings
        assert all(len(tokens) <= bound for tokens, bound in zip(after[row], longest, strict=True))
        assert spoken[: len(old_spoken) - 1] == old_spoken[:-1]
        assert (spoken == (2,)) == (old_spoken == (2,))
        assert has_path(task, after[row])


def test_masks_are_of_the_stream_that_they_are_asked_for(toy_data_bin):
    before = epoch_rows(loaded_training(toy_data_bin))
    for kind, rows in (("speech", range(NUM_SPEECH)), ("text", range(NUM_SPEECH, len(before)))):
        after = epoch_rows(loaded_training(toy_data_bin, **{f"{kind}_mask_share": 0.3}))
        masked = total = 0
        for row, (old, new) in enumerate(zip(before, after, strict=True)):
            assert new[1:] == old[1:]
            assert len(new[0]) == len(old[0])
            assert row in rows or new == old
            assert all(a == b or b == 0 for a, b in zip(old[0], new[0], strict=True))
            masked += sum(token == 0 for token in new[0])
            total += len(new[0]) - 1 if row in rows else 0
        assert masked / total == pytest.approx(0.3, abs=0.03)


def test_dropped_tokens_leave_ctc_a_path(toy_data_bin):
    before = epoch_rows(loaded_training(toy_data_bin))
    task = loaded_training(toy_data_bin, speech_mask_share=0.6, text_mask_share=0.4, mask_form="drop")
    after = epoch_rows(task)
    shorter = 0
    for old, new in zip(before, after, strict=True):
        assert new[1:] == old[1:]
        assert has_path(task, new) or not has_path(task, old)
        shorter += len(new[0]) < len(old[0])
    assert shorter > 0.4 * len(before)


def test_a_repeated_pass_has_other_masks(toy_data_bin):
    task = loaded_training(toy_data_bin, mt_passes=2.0, text_mask_share=0.3)
    rows = epoch_rows(task)
    number = len(task.dataset("train").streams[1].sources)
    assert rows[-number:] != rows[-2 * number : -number]


def test_without_variations_rows_are_those_of_a_task_that_knows_none_and_validation_never_varies(toy_data_bin):
    options = {"sample_pieces": "units,source,target", "repeat_jitter": "fixed", "join_share": 0.5}
    plain, varied = loaded_training(toy_data_bin), loaded_training(toy_data_bin, **options, speech_mask_share=0.2)
    assert all(stream.variations == () for stream in plain.dataset("train").streams)
    assert not any(isinstance(stream.sources, RepeatedText) for stream in plain.dataset("train").streams)
    for split in ("valid", "test"):
        varied.load_dataset(split)
        plain.load_dataset(split)
        rows = [[task.dataset(split)[row]["source"].tolist() for row in range(21)] for task in (plain, varied)]
        assert rows[0] == rows[1]


def test_a_model_trains_on_all_of_it(toy_data_bin):
    options = {"sample_pieces": "units,source,target", "repeat_jitter": "characters", "join_share": 0.3}
    options |= {"speech_mask_share": 0.2, "text_mask_share": 0.2}
    task = loaded_training(
        toy_data_bin, {"rdrop_weight": 0.5, "rdrop_ctc_weight": 0.2, "consistency_weight": 0.5}, **options
    )
    model = build_model(task, "hmst_ctc_attention_tiny", embed_dim=16, ffn_embed_dim=16, encoder_layers=2).train()
    dataset = task.dataset("train")
    batch = dataset.collater([dataset[index] for index in range(0, len(dataset), 40)])
    loss, _, logged = task.criterion(model, batch)
    loss.backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters() if parameter.grad is not None)
    assert float(logged["st_rdrop_loss"]) > 0


def test_pieces_of_text_models_are_sampled_too(language_data_bin):
    stored = loaded_training(language_data_bin)
    sampled = loaded_training(
        language_data_bin, sample_pieces="units,source,target", sampling_alpha=0.05, repeat_jitter="fixed"
    )
    symbols = stored.data_bin.language_symbols
    changed = set()
    for old, new in zip(epoch_rows(stored), epoch_rows(sampled), strict=True):
        assert text_of(sampled, new)[1:] == text_of(stored, old)[1:]
        changed |= {side for side in range(3) if old[side] != new[side]}
        first, last = symbols.source_edges
        assert new[0][:first] == old[0][:first]
        assert new[0][-last:] == old[0][-last:]
        assert new[1][: symbols.num_target_symbols] == old[1][: symbols.num_target_symbols]
    assert changed == {0, 1, 2}


def test_a_bpe_model_is_refused(toy_data_bin, monkeypatch):
    model = sentencepiece.SentencePieceProcessor(model_proto=bpe_model())
    task = training_task(toy_data_bin, sample_pieces="target")
    monkeypatch.setattr(task.data_bin, "subword_model", lambda side: model)
    with pytest.raises(
        OptionError, match=r"sample_pieces target cannot be followed, leave it out: .*target.model is no unigram model"
    ):
        task.load_dataset("train")


def bpe_model() -> bytes:
    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["low lower lowest"]),
        model_writer=content,
        vocab_size=12,
        model_type="bpe",
        minloglevel=2,
    )
    return content.getvalue()


def test_twins_keep_their_path(toy_data_bin):
    options = {"sample_pieces": "units,source,target", "sampling_alpha": 0.02}
    stored, sampled = (loaded_training(toy_data_bin, {"consistency_weight": 1.0}, **more) for more in ({}, options))
    checked = 0
    for epoch in (1, 2, 3):
        pairs = zip(epoch_rows(stored, epoch), epoch_rows(sampled, epoch), strict=True)
        for index, (old, new) in enumerate(list(pairs)[:NUM_SPEECH]):
            before, after = (task.dataset("train")[index]["twin"] for task in (stored, sampled))
            assert (before is None) == (after is None)
            if before is not None and has_path(stored, (before, *old[1:])):
                assert has_path(sampled, (after, *new[1:]))
                checked += old[1] != new[1]
    assert checked > 0


def test_dropped_tokens_leave_twins_their_path(toy_data_bin):
    stored = loaded_training(toy_data_bin, {"consistency_weight": 1.0})
    task = loaded_training(toy_data_bin, {"consistency_weight": 1.0}, text_mask_share=0.5, mask_form="drop")
    shorter = 0
    for index in range(NUM_SPEECH):
        before, after = (each.dataset("train")[index] for each in (stored, task))
        if before["twin"] is None:
            continue
        labels = [after[kind].tolist() for kind in ("target", "transcript")]
        assert has_path(task, (after["twin"], *labels)) or not has_path(stored, (before["twin"], *labels))
        shorter += len(after["twin"]) < len(before["twin"])
    assert shorter > 0


def test_sizes_are_those_of_the_longer_view(toy_data_bin):
    options = {"sample_pieces": "units,source", "sampling_alpha": 0.05, "repeat_jitter": "fixed"}
    task = loaded_training(toy_data_bin, {"rdrop_weight": 1.0, "consistency_weight": 1.0}, **options)
    dataset = task.dataset("train")
    second_is_longer = 0
    for index in range(len(dataset)):
        example = dataset[index]
        first = [len(tokens) for tokens in (example["source"], example["twin"]) if tokens is not None]
        second = [len(view.source) for view in (example["second"], example["twin_second"]) if view is not None]
        assert dataset.size(index)[0] == max(first + second)
        second_is_longer += max(second) > max(first)
    assert second_is_longer > 0


def test_fairseq_validate_sees_train_as_it_is_stored(toy_data_bin):
    options = {"sample_pieces": "units,source,target", "join_share": 0.5, "speech_mask_share": 0.3, "mt_passes": 0.5}
    task = training_task(toy_data_bin, {"consistency_weight": 1.0}, **options)
    task.load_dataset("train", task_cfg=task.cfg)
    assert epoch_rows(task) == epoch_rows(loaded_training(toy_data_bin))
    assert all(task.dataset("train")[row]["twin"] is None for row in range(NUM_SPEECH))


def test_a_prefix_of_a_joined_row_is_one_of_its_first_sentence(toy_data_bin):
    task = training_task(toy_data_bin, join_share=0.9)
    streams = [load_stream(task.data_bin, "train", name) for name in ("st", "mt")]
    speech = streams[0]
    places = [np.array([[1, 1, 0]]) if len(speech.targets[row]) > 2 else np.zeros((0, 3)) for row in range(NUM_SPEECH)]
    add_prefixes(streams, Cuts.of_rows([place.astype(np.int32) for place in places]), 0.5, SYMBOLS)
    building.vary_streams(task.cfg, streams, task.data_bin, "train", has_views=False)
    found = speech.of_epoch(Draws(1, 1))
    lengths = [(len(found.targets[row]), len(speech.targets[row])) for row in range(NUM_SPEECH)]
    cut = [row for row, (length, stored) in enumerate(lengths) if length < stored]
    joined = [row for row, (length, stored) in enumerate(lengths) if length > stored]
    assert len(cut) > 50 and len(joined) > 20
    for row in cut:
        assert found.targets[row].tolist() == [int(speech.targets[row][0]), 2]
        assert found.sources[row].tolist() == [int(speech.sources[row][0]), 2]


@pytest.mark.parametrize("criterion", [{}, {"consistency_weight": 1.0}])
def test_what_fits_into_a_batch_as_it_is_stored_fits_when_it_varies(toy_data_bin, criterion):
    """As to --max-tokens; the longest rows do not fit."""
    varied = {"sample_pieces": "units,source,target", "sampling_alpha": 0.1, "repeat_jitter": "fixed"}
    tokens = loaded_training(toy_data_bin, criterion).dataset("train").num_tokens_vec(np.arange(NUM_SPEECH))
    bound = int(np.quantile(tokens, 0.9))
    options = {**varied, "join_share": 0.9, "max_tokens": bound}
    dataset = loaded_training(toy_data_bin, criterion, **options).dataset("train")
    changed = 0
    for epoch in range(1, 5):
        dataset.set_epoch(epoch)
        now = dataset.num_tokens_vec(np.arange(NUM_SPEECH))
        assert (now[tokens <= bound] <= bound).all()
        changed += int((now != tokens).sum())
    assert changed > NUM_SPEECH


@pytest.mark.parametrize(("architecture", "expected"), [("hmst_aed_tiny", (60, 50)), ("hmst_ctc_tiny", (60, 300))])
def test_rows_are_no_longer_than_the_model_takes(toy_data_bin, architecture, expected):
    task = training_task(toy_data_bin, max_tokens=300, join_share=0.5)
    size = {"embed_dim": 16, "ffn_embed_dim": 16, "encoder_layers": 2, "source_ctc_layer": 1}
    build_model(task, architecture, **size, max_source_positions=60, max_target_positions=50)
    task.load_dataset("train")
    assert task.dataset("train").streams[0].max_lengths == expected
