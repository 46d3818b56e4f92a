"""Tiny models of the recorded prompts: data-bins, checkpoints and decoding, all in this process to save imports."""

import csv
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from toy import REPOSITORY, build_model, build_task, run_preprocess

RECORDINGS = REPOSITORY / "examples" / "prompts" / "recordings"
SPLITS = {"train": 40, "dev": 4, "test": 10}
SIZES = {"embed_dim": 32, "ffn_embed_dim": 64, "attention_heads": 2, "encoder_layers": 2, "source_ctc_layer": 1}
FAMILIES: dict[str, dict[str, int]] = {
    "hmst_aed": {"decoder_layers": 1},
    "hmst_ctc": {},
    "hmst_ctc_attention": {"decoder_layers": 1},
    "hmst_transducer": {"predictor_dim": 32, "joint_dim": 32},
}
MFCC = "{extractor: mfcc, clusters: 16, portion: 1.0}"


def prompt_rows() -> list[dict[str, str]]:
    """Prompts of one to three seconds that have English, French and Spanish texts: id and texts by language."""
    with (RECORDINGS / "texts.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = [
        row for row in rows if row["en"] and row["fr"] and row["es"] and 5_000 < audio_of(row).stat().st_size < 15_000
    ]
    return found[: sum(SPLITS.values())]


def audio_of(row: dict[str, str]) -> Path:
    """The recording of a row of `prompt_rows`."""
    return RECORDINGS / f"{row['id']}.ogg"


def rows_of_test() -> list[dict[str, str]]:
    """The rows of the test split, in the order of the data-bin."""
    return prompt_rows()[-SPLITS["test"] :]


PROMPTS = [audio_of(row) for row in rows_of_test()]


def make_prompt_data_bin(
    folder: Path, targets: Sequence[str] = ("fr",), kmeans: str = MFCC, text_model: Path | None = None
) -> Path:
    """Make folder/out/{manifest,units,kmeans,data-bin} by the project's own stages.

    Args:
        folder: where to.
        targets: target languages of the rows, in turn: of "fr" and "es".
        kmeans: that section of the recipe.
        text_model: a folder whose pieces serve the texts; None: those of the texts.
    """
    rows = iter(prompt_rows())
    (folder / "corpus").mkdir(parents=True)
    for split, count in SPLITS.items():
        lines = ["id\taudio\tsrc_text\ttgt_lang\ttgt_text"]
        for number, row in zip(range(count), rows, strict=False):
            language = targets[number % len(targets)]
            name = row["id"].replace("/", "-")
            lines.append(f"{name}\t{audio_of(row)}\t{row['en']}\t{language}\t{row[language]}")
        (folder / "corpus" / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = "source-vocab: 60, target-vocab: 60" if text_model is None else f"text-model: {text_model}"
    recipe = folder / "recipe.yaml"
    recipe.write_text(
        "out: out\n"
        "manifest: {corpus: tsv, root: corpus, src-lang: en}\n"
        f"kmeans: {kmeans}\n"
        f"subwords: {{unit-vocab: 40, {text}}}\n"
        "binarize: {repeat: 4}\n",
        encoding="utf-8",
    )
    run_preprocess("run", recipe)
    return folder / "out" / "data-bin"


def random_checkpoint(path: Path, data_bin: Path, family: str = "hmst_ctc", seed: int = 0) -> Path:
    """Write what a checkpoint of fairseq-train holds that is needed to decode, with random weights."""
    import torch

    task = build_task(data_bin)
    options = SIZES | FAMILIES[family]
    weights = build_model(task, family, **options).state_dict()
    generator = torch.Generator().manual_seed(seed)
    moved = {
        name: tensor + 0.05 * torch.randn(tensor.shape, generator=generator) if tensor.is_floating_point() else tensor
        for name, tensor in weights.items()
    }
    history = [{"optimizer_name": "", "lr_scheduler_state": {}, "num_updates": 1}]  # fairseq looks for it
    content = {
        "cfg": {"model": {"_name": family, **options}, "task": {"_name": "hmst_translation", "data": str(data_bin)}},
        "model": moved,
        "task_state": task.state_dict(),
        "optimizer_history": history,
        "extra_state": {"train_iterator": None},
    }
    torch.save(content, path)
    return path


def train_here(data_bin: Path, save_dir: Path, family: str, updates: int, *options: object) -> Path:
    """Some updates by fairseq-train; its last checkpoint. Later `options` win."""
    from fairseq_cli.train import main

    command = ["--task", "hmst_translation", "--arch", family, "--criterion", "hmst_joint", "--save-dir", save_dir]
    sizes = [f"--{name.replace('_', '-')}={value}" for name, value in (SIZES | FAMILIES[family]).items()]
    training = f"--optimizer adam --lr 0.01 --max-tokens 4000 --max-update {updates} --disable-validation".split()
    main(configuration("training", data_bin, *command, *sizes, *training, "--no-epoch-checkpoints", *options))
    return save_dir / "checkpoint_last.pt"


def generate_here(
    data_bin: Path, path: object, *options: object, output: Path | None = None
) -> list[list[tuple[str, float]]]:
    """fairseq-generate on the test set: text and score, in nats, of each hypothesis of each example.

    Args:
        data_bin: of the checkpoints.
        path: value of --path.
        options: of fairseq-generate.
        output: where to write all that is printed.
    """
    from fairseq_cli.generate import _main

    command = ["--task", "hmst_translation", "--path", path, "--gen-subset", "test", "--max-tokens", 700, *options]
    printed = io.StringIO()
    _main(configuration("generation", data_bin, *command), printed)
    if output is not None:
        output.write_text(printed.getvalue(), encoding="utf-8")
    found: dict[int, list[tuple[str, float]]] = {}
    for match in re.finditer(r"^D-(\d+)\t(\S+)\t(.*)$", printed.getvalue(), re.MULTILINE):
        found.setdefault(int(match[1]), []).append((match[3], float(match[2]) * math.log(2)))
    return [found[number] for number in range(len(found))]


def configuration(kind: str, data_bin: Path, *command: object):
    """What fairseq makes of the command line of a `training`, a `generation` or an `interactive` one."""
    from fairseq import options
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf

    import fairseq_hmst.plugin  # noqa: F401

    parsers = {"training": options.get_training_parser, "generation": options.get_generation_parser}
    parser = (parsers | {"interactive": options.get_interactive_generation_parser})[kind]()
    common = ["--cpu", "--num-workers", "0", "--no-progress-bar"]
    arguments = options.parse_args_and_arch(parser, [str(part) for part in (data_bin, *command, *common)])
    return convert_namespace_to_omegaconf(arguments)


def run_translate(capsys, *command: object) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of hmst translate."""
    from fairseq_hmst.translate.command import main

    status = main([str(part) for part in command])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def write_bad_files(folder: Path) -> dict[Path, str]:
    """Bad files, and what is said of each."""
    (folder / "text.wav").write_text("no sound")
    (folder / "empty.wav").touch()
    soundfile.write(folder / "blip.wav", np.zeros(100), 16_000)
    whole = np.random.default_rng(0).uniform(-0.1, 0.1, 25 * 8000)
    whole[190_000] = np.nan
    soundfile.write(folder / "nan.wav", whole, 8000, subtype="FLOAT")
    return {
        folder / "missing.wav": "audio file not found",
        folder / "text.wav": "not audio but text, which begins 'no sound'",
        folder / "empty.wav": "the audio file is empty",
        folder / "blip.wav": "too short: 6.2 ms",
        folder / "nan.wav": "NaN or infinite samples, the first 23.75 s from its begin",
    }
