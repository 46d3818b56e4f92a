"""A toy corpus whose units spell its words, and what tests do with it."""

import os
import random
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from warm_commands import warm_programs

REPOSITORY = Path(__file__).resolve().parents[2]
WORDS = {"red": "rouge", "blue": "bleu", "green": "vert", "one": "un", "two": "deux", "cat": "chat", "dog": "chien"}
GERMAN = {"red": "rot", "blue": "blau", "green": "grün", "one": "eins", "two": "zwei", "cat": "Katze", "dog": "Hund"}
UNITS_PER_WORD = 9
NUM_UNITS = UNITS_PER_WORD * len(WORDS)


def toy_sentences(count: int, seed: int) -> list[tuple[list[int], str, str]]:
    """(units, English, French) of random word sequences; each word has units of its own, French is reversed."""
    generator = random.Random(seed)
    sentences = []
    for _ in range(count):
        words = generator.choices(list(WORDS), k=generator.randint(1, 5))
        units = [UNITS_PER_WORD * list(WORDS).index(word) + part for word in words for part in range(UNITS_PER_WORD)]
        sentences.append((units, " ".join(words), " ".join(WORDS[word] for word in reversed(words))))
    return sentences


def translate(english: str, language: str) -> str:
    """French turns the order of the words round, German keeps it."""
    words = english.split()
    return " ".join(GERMAN[word] for word in words) if language == "de" else " ".join(WORDS[w] for w in reversed(words))


def run_preprocess(*arguments: object) -> None:
    """Run a stage in this process; fail with its message."""
    from preprocess.__main__ import main

    assert main([str(argument) for argument in arguments]) == 0


def make_toy_data_bin(
    folder: Path,
    seed: int = 0,
    with_transcripts: bool = True,
    targets: Sequence[str] = ("fr",),
    text_model: Path | None = None,
    repeat: int = 4,
    keep_all_pieces: bool = False,
    speaker: str = "toy",
) -> Path:
    """Write manifests and units, and make folder/data-bin from them by the project's own stages.

    Args:
        folder: where to.
        seed: of the sentences.
        with_transcripts: False: no row has a source text, so that there is no text stream.
        targets: target languages of the rows, in turn: of "fr" and "de".
        text_model: a folder that `tiny_mbart` wrote, whose SentencePiece model serves the texts.
        repeat: times each source-text token is written.
        keep_all_pieces: of the text model.
        speaker: of all rows.
    """
    manifests, units = folder / "manifest", folder / "units"
    manifests.mkdir(parents=True)
    units.mkdir()
    for number, (split, count) in enumerate({"train": 300, "dev": 21, "test": 21}.items()):
        rows = toy_sentences(count, seed=10 * seed + number)
        header = "id\taudio\toffset\tduration\tsrc_lang\ttgt_lang\tsrc_text\ttgt_text\tspeaker\n"
        with (manifests / f"{split}.tsv").open("w", encoding="utf-8") as file:
            file.write(header)
            for row, (_, english, _) in enumerate(rows):
                transcript = english if with_transcripts and row % 7 != 3 else ""
                target = targets[row % len(targets)]
                languages = f"en\t{target}\t{transcript}\t{translate(english, target)}"
                file.write(f"{split}-{row}\ttoy.wav\t0\t1\t{languages}\t{speaker}\n")
        lines = (f"{split}-{row}\t{' '.join(map(str, row_units))}\n" for row, (row_units, _, _) in enumerate(rows))
        (units / f"{split}.units").write_text("".join(lines), encoding="utf-8")
    text = ["--source-text", manifests / "train.tsv", "--target-text", manifests / "train.tsv"]
    text += ["--source-vocab", 20, "--target-vocab", 20 if len(targets) == 1 else 32]
    text = ["--text-model", text_model] if text_model else text
    options = ["--units", units / "train.units", "--unit-vocab", NUM_UNITS + 5, *text]
    run_preprocess("subwords", *options, "--out", folder / "subwords")
    inputs = ["--manifest-dir", manifests, "--units-dir", units, "--subwords", folder / "subwords"]
    options = ["--repeat", repeat, *(["--keep-all-pieces"] if keep_all_pieces else [])]
    run_preprocess("binarize", *inputs, *options, "--out", folder / "data-bin")
    return folder / "data-bin"


def build_task(data_bin: Path, **options: object):
    """The task with `options` in place of defaults, train and valid loaded."""
    from omegaconf import OmegaConf

    import fairseq_hmst.plugin  # noqa: F401
    from fairseq_hmst.tasks.config import HmstTranslationConfig
    from fairseq_hmst.tasks.hmst_translation import HmstTranslationTask

    config = OmegaConf.merge(OmegaConf.structured(HmstTranslationConfig), {"data": str(data_bin)}, options)
    task = HmstTranslationTask(config)
    for split in ("train", "valid"):
        task.load_dataset(split)
    return task


def build_model(task, architecture: str, **options: object):
    """A randomly initialised model (seed 0) of a registered architecture, in evaluation mode."""
    import torch
    from fairseq.models import MODEL_DATACLASS_REGISTRY
    from omegaconf import OmegaConf

    defaults = OmegaConf.structured(MODEL_DATACLASS_REGISTRY[architecture])
    known = {key: value for key, value in options.items() if key in defaults}
    torch.manual_seed(0)
    return task.build_model(OmegaConf.merge(defaults, known, {"_name": architecture})).eval()


def build_criterion(task, **options: object):
    """hmst_joint with `options` in place of defaults."""
    from fairseq_hmst.criterions.joint_criterion import JointCriterion, JointCriterionConfig

    fields = JointCriterionConfig.__dataclass_fields__
    defaults = {name: fields[name].default for name in fields if name != "_name"}
    return JointCriterion(task, **defaults | {"sentence_avg": False} | options)


def task_with_twins(data_bin: Path, **options: object):
    """The task with train loaded as for a criterion that needs text twins."""
    task = build_task(data_bin, **options)
    task.needs_text_twins = True
    task.load_dataset("train")
    return task


def training_task(data_bin: Path, criterion: Iterable = (), **options: object):
    """The task of a training by hmst_joint; its data is that of no training until it is loaded again."""
    from omegaconf import OmegaConf

    from fairseq_hmst.criterions.joint_criterion import JointCriterionConfig

    task = build_task(data_bin, **options)
    config = OmegaConf.merge(OmegaConf.structured(JointCriterionConfig), {"_name": "hmst_joint", "sentence_avg": False})
    task.build_criterion(OmegaConf.merge(config, dict(criterion)))
    return task


def loaded_training(data_bin: Path, criterion: Iterable = (), **options: object):
    """The task of a training by hmst_joint, with its data."""
    task = training_task(data_bin, criterion, **options)
    task.load_dataset("train")
    return task


def epoch_rows(task, epoch: int = 1) -> list[tuple[tuple[int, ...], ...]]:
    """Source, target and transcript of each example of train in an epoch."""
    dataset = task.dataset("train")
    dataset.set_epoch(epoch)
    examples = [dataset[index] for index in range(len(dataset))]
    return [tuple(tuple(example[kind].tolist()) for kind in ("source", "target", "transcript")) for example in examples]


def batch_of(task, rows: Iterable[int], split: str = "valid") -> dict:
    """A batch of the given rows of a split: of valid 21 of st, then those of mt; of train 300 of st."""
    dataset = task.dataset(split)
    return dataset.collater([dataset[row] for row in rows])


def relabel(batch: dict, labels, lengths) -> None:
    """Give a batch other labels of CTC and transducer, (B, U) and (B,)."""
    for where in (batch, batch["on_host"].batch):
        where["labels"], where["label_lengths"] = labels, lengths


def run_command(*command: object, cwd: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess:
    """Run a command line with this Python's scripts on the path; its output is returned as text.

    What it imports of fairseq is there already (`warm_commands`).
    """
    path = os.pathsep.join((str(warm_programs()), str(Path(sys.executable).parent), os.environ["PATH"]))
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
