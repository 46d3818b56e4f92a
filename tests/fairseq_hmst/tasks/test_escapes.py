"""Text with characters that SentencePiece keeps for itself, from manifests to what fairseq's commands print."""

from types import SimpleNamespace

import pytest
from toy import build_task, run_preprocess

from fairseq_hmst.data.text_pieces import TextPieces
from fairseq_hmst.tasks.subword_codec import SubwordCodec
from preprocess.files.escapes import MARK, STANDS_FOR

# Chinese, Russian and Greek occur in these sentences alone: left out of the training, their letters would be <unk>.
ODD = [
    "▅ 你好 привет",
    "a\0b ελληνικά",
    "snake▁case ▁x ▁",
    "\0 ▅▅ ▁▁",
    f"{MARK} {' '.join(STANDS_FOR)}",
    f"{MARK}\ufdd1▁",
]
HEADER = "id\taudio\toffset\tduration\tsrc_lang\ttgt_lang\tsrc_text\ttgt_text\tspeaker\n"


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    (folder / "units").mkdir()
    (folder / "manifest").mkdir()
    for split in ("train", "dev", "test"):
        texts = [*ODD, *(["one two three"] * 20)]
        rows = (f"{split}-{i}\tx.wav\t0\t1\ten\tfr\t{text}\t{text}\t\n" for i, text in enumerate(texts))
        (folder / "manifest" / f"{split}.tsv").write_text(HEADER + "".join(rows), encoding="utf-8")
        units = "".join(f"{split}-{i}\t0 1 2 3\n" for i in range(len(texts)))
        (folder / "units" / f"{split}.units").write_text(units)
    text, train = folder / "manifest/train.tsv", folder / "units/train.units"
    sizes = ["--unit-vocab", 4, "--source-vocab", 40, "--target-vocab", 40]
    options = ["--units", train, "--source-text", text, "--target-text", text, *sizes]
    run_preprocess("subwords", *options, "--out", folder / "subwords")
    inputs = ["--manifest-dir", folder / "manifest", "--units-dir", folder / "units", "--subwords", folder / "subwords"]
    run_preprocess("binarize", *inputs, "--repeat", 2, "--out", folder / "data-bin")
    return build_task(folder / "data-bin", eval_stream="mt")


def test_sources_and_targets_hold_no_unknown_and_come_back(task):
    dataset, codec = task.dataset("valid"), SubwordCodec(task.data_bin, "mt")
    references = (task.data_bin.path / "valid.mt.ref.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    first = sum(len(stream.sources) for stream in dataset.streams if stream.name == "st")
    for row, text in enumerate(ODD):
        example = dataset[first + row]
        assert references[row] == text
        assert task.text.target(example["target"]) == text
        assert task.text.transcript(dataset[row]["transcript"]) == text
        assert task.source_dictionary.string(example["source"]) == codec.encode(text)
        assert task.source_dictionary.unk() not in example["source"]


@pytest.mark.parametrize("post_process", [None, "sentencepiece"])
def test_fairseq_generate_gives_plain_text_with_its_own_post_processing_or_without(task, post_process):
    bpe = task.build_bpe(SimpleNamespace())
    for row, text in enumerate(ODD):
        assert bpe.decode(task.target_dictionary.string(task.dataset("valid")[row]["target"], post_process)) == text


def test_a_data_bin_of_a_version_without_escapes_is_read_as_it_was_written(task):
    model = task.data_bin.subword_model("target")
    assert TextPieces(model, escapes=False).join(["▁a", f"▁{MARK}", "▁\ufdd1"]) == f"a {MARK} \ufdd1"
