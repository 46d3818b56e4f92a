"""The blocks of README and docs run in this process, in a folder that looks like the repository, smaller than written.

`bash` blocks are split into commands, each of which is called by the `main` of its program; the end of `SMALLER` is
put behind its options, so that a model of base size becomes a tiny one.
"""

import contextlib
import glob
import importlib
import io
import re
import shlex
import shutil
import unittest.mock
from collections.abc import Iterator
from pathlib import Path

import soundfile
import yaml
from doc_pages import Block
from prompt_models import audio_of, prompt_rows
from toy import REPOSITORY

TINY = (
    "--embed-dim 32 --ffn-embed-dim 64 --attention-heads 2 --encoder-layers 2 --decoder-layers 1 --source-ctc-layer 1"
)
SMALLER = {
    "fairseq-train": f"{TINY} --max-tokens 3000 --max-update 2 --warmup-updates 1 --validate-interval-updates 2 --cpu "
    "--num-workers 0 --no-progress-bar",
    "fairseq-generate": "--max-tokens 3000 --cpu --num-workers 0 --no-progress-bar --max-len-b 20",
    "hmst generate": "--max-tokens 3000 --max-len-b 20",
    "fairseq-interactive": "--cpu --max-len-b 20",
    "preprocess kmeans": "--clusters 16",
    "preprocess subwords": "--unit-vocab 40 --source-vocab 60 --target-vocab 60",
}
SMALL_RECIPE = {
    "preset": "small",
    "kmeans": {"extractor": "mfcc", "clusters": 16},
    "units": {},
    "subwords": {"unit-vocab": 40, "source-vocab": 60, "target-vocab": 60},
    "train": {
        **{"embed-dim": 32, "ffn-embed-dim": 64, "attention-heads": 2, "encoder-layers": 2, "decoder-layers": 1},
        **{"source-ctc-layer": 1, "max-update": 2, "warmup-updates": 1, "validate-interval-updates": 1},
        **{"num-workers": 0, "cpu": True},
    },
    "decode": {"max-len-b": 20},
    "export": {},
}
SPLITS = {"train": 40, "dev": 4, "test": 6}
MAINS = {
    "fairseq-train": "fairseq_cli.train:cli_main",
    "fairseq-generate": "fairseq_cli.generate:cli_main",
    "fairseq-interactive": "fairseq_cli.interactive:cli_main",
    "hmst check": "fairseq_hmst.command.check.command",
    "hmst generate": "fairseq_hmst.command.generate",
    "hmst run": "fairseq_hmst.command.run.command",
    "hmst translate": "fairseq_hmst.translate.command",
    "hmst live": "fairseq_hmst.live.command",
    "hmst score": "fairseq_hmst.score.command",
    "hmst preprocess": "preprocess.__main__",
    "hmst export": "fairseq_hmst.export.command",
    "hmst average": "fairseq_hmst.average",
}


def make_workplace(folder: Path) -> None:
    """What a reader of the pages has: the repository, a corpus of prompts, recordings and texts."""
    for name in ("fairseq_hmst", "preprocess", "examples"):
        (folder / name).symlink_to(REPOSITORY / name)
    (folder / "my_corpus").mkdir()
    rows = iter(prompt_rows())
    for split, count in SPLITS.items():
        lines = ["id\taudio\toffset\tduration\tsrc_text\ttgt_text"]
        for _, row in zip(range(count), rows, strict=False):
            lines.append(f"{row['id'].replace('/', '-')}\t{audio_of(row)}\t\t\t{row['en']}\t{row['fr']}")
        (folder / "my_corpus" / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recording, rate = soundfile.read(audio_of(prompt_rows()[0]))
    soundfile.write(folder / "talk.mp3", recording, rate)
    soundfile.write(folder / "interview.wav", recording, rate)
    (folder / "talk.yaml").write_text("- {wav: talk.mp3, offset: 0, duration: 1}\n", encoding="utf-8")
    (folder / "talk.fr.txt").write_text(prompt_rows()[0]["fr"] + "\n", encoding="utf-8")
    (folder / "notes.txt").write_text("goodbye\none moment please\n", encoding="utf-8")
    (folder / "more.en").write_text("good morning\nthree doors\n", encoding="utf-8")
    (folder / "more.fr").write_text("bonjour\ntrois portes\n", encoding="utf-8")
    variants = '<tuv xml:lang="en"><seg>two cats</seg></tuv><tuv xml:lang="fr"><seg>deux chats</seg></tuv>'
    memory = f'<tmx version="1.4"><header/><body>{f"<tu>{variants}</tu>" * 2}</body></tmx>'
    (folder / "memory.tmx").write_text(memory, encoding="utf-8")


def run_block(block: Block, names: dict[str, object]) -> None:
    """Run a block in the working directory; `names` are the variables of its page.

    What Python prints must hold what a comment behind `print(...)` says.
    """
    if block.language == "yaml":
        write_small_recipe(block.code)
    elif block.language == "python":
        source = "\n" * (block.line - 1) + block.code
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(source, block.page, "exec"), names)
        for expected in re.findall(r"^print\(.*\)  # (.+)$", block.code, re.MULTILINE):
            assert expected in output.getvalue()
    else:
        for words in commands_of(block.code):
            run_words(words)


def write_small_recipe(text: str) -> None:
    """Write my_recipe.yaml as in a block, with MFCC and small vocabularies."""
    recipe = yaml.safe_load(text)
    assert recipe.keys() <= SMALL_RECIPE.keys() | {"out", "manifest", "binarize"}
    small = recipe | SMALL_RECIPE | {"train": recipe["train"] | SMALL_RECIPE["train"]}
    Path("my_recipe.yaml").write_text(yaml.safe_dump(small), encoding="utf-8")


def commands_of(code: str) -> Iterator[list[str]]:
    """The words of each command, without comments."""
    for line in code.replace("\\\n", " ").splitlines():
        if words := shlex.split(line, comments=True):
            yield words


def run_words(words: list[str]) -> None:
    """Run one command; fail with what it printed if its exit status is not 0."""
    words, target = (words[:-2], words[-1]) if words[-2] == ">" else (words, None)
    words = [found for word in words for found in (sorted(glob.glob(word)) if "*" in word else [word])]
    program, options = split_program(words)
    if program.startswith("fairseq-"):
        import fairseq_hmst.plugin  # noqa: F401  (what --user-dir does, which a process can do once)

        place = options.index("--user-dir")
        assert options[place + 1] == "fairseq_hmst"
        del options[place : place + 2]
    output = io.StringIO()
    module, _, function = MAINS[program].partition(":")
    with contextlib.redirect_stdout(output), unittest.mock.patch("sys.argv", [program, *options]):
        status = getattr(importlib.import_module(module), function or "main")()
    if program == "fairseq-train":
        add_best_checkpoint(Path(options[options.index("--save-dir") + 1]))
    assert not status, f"{shlex.join(words)} ended with {status}\n{output.getvalue()}"
    if target:
        Path(target).write_text(output.getvalue(), encoding="utf-8")


def add_best_checkpoint(folder: Path) -> None:
    """Put a second best checkpoint beside the one that two updates give, since one cannot be averaged."""
    shutil.copyfile(folder / "checkpoint_last.pt", folder / "checkpoint.best_bleu_0.001.pt")


def split_program(words: list[str]) -> tuple[str, list[str]]:
    """Name of a program, and its options made small."""
    length = 2 if words[0] == "hmst" else 1
    program, options = " ".join(words[:length]), words[length:]
    stage = f"preprocess {options[0]}" if program == "hmst preprocess" else program
    return program, options + SMALLER.get(stage, "").split()
