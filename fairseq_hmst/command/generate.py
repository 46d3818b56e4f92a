"""The subcommand `generate`: test sets translated by fairseq-generate, several splits and streams in one process."""

import argparse
import contextlib
import io
import logging
import os
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from preprocess.errors import UserError, exit_status
from preprocess.files.outputs.held import held_file
from preprocess.files.reading.archive import check_archive
from preprocess.files.whole import whole_files

from .user_dir import USER_DIR

DEFAULT_MAX_TOKENS = 12000
# Options of fairseq-generate that this command gives, and its own for the same.
OURS = {"--gen-subset": "--split", "--eval-stream": "--stream", "--results-path": "--out", "--path": "--model"}


@dataclass(frozen=True)
class TestSet:
    """One split of one stream.

    Attributes:
        split: test, test_prompts, valid and so on.
        stream: `st` or `mt`.
    """

    split: str
    stream: str

    def output(self, folder: Path) -> Path:
        """File of its translations."""
        return folder / self.stream / f"generate-{self.split}.txt"


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this subcommand; all others are fairseq-generate's."""
    parser = argparse.ArgumentParser(
        prog="hmst generate",
        description="Translate test sets. All further options are fairseq-generate's, such as --beam 5, --lenpen 1, "
        "--decoding joint, --max-tokens 12000, --cpu.",
        allow_abbrev=False,
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DATA_BIN", help="data-bin of the checkpoints")
    parser.add_argument(
        "--model", type=Path, nargs="+", required=True, metavar="CKPT", help="checkpoint; several decode as an ensemble"
    )
    parser.add_argument("--split", nargs="+", help="such as test; default: all whose name begins with test")
    parser.add_argument("--stream", nargs="+", choices=["st", "mt"], help="default: those that the split has")
    parser.add_argument("--out", type=Path, required=True, help="folder: OUT/STREAM/generate-SPLIT.txt is written")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Translate, and print the score of each test set; exit status 1 for what cannot be decoded."""
    parser = make_parser()
    arguments, others = parser.parse_known_args(argv)
    for option in others:
        if option.partition("=")[0] in OURS:
            parser.error(f"{option} is given by this command: say {OURS[option.partition('=')[0]]}")

    def work() -> None:
        for test_set in find_test_sets(arguments.data, arguments.split, arguments.stream):
            print(generate(arguments.data, arguments.model, test_set, arguments.out, others), flush=True)

    return exit_status(work, (UserError, OSError, ValueError))


def find_test_sets(
    data_bin: Path, splits: Sequence[str] | None = None, streams: Sequence[str] | None = None
) -> list[TestSet]:
    """Test sets of a data-bin.

    Args:
        data_bin: its folder.
        splits: None: all whose name begins with `test`.
        streams: None: those that each split has.

    Raises:
        MismatchError: the data-bin has no card, or none that can be read.
        UserError: it lacks a split or a stream that is asked for, or has no test set.
    """
    from preprocess.files.cards.data_bin_card import DataBinCard

    counts = DataBinCard.read(data_bin).counts
    known = [TestSet(split, stream) for split, by_stream in counts.items() for stream in by_stream]
    for split in splits or ():
        for stream in streams or ("",):
            if not any(split == found.split and stream in ("", found.stream) for found in known):
                there = ", ".join(f"{found.split} ({found.stream})" for found in known)
                asked = f"{split} ({stream})" if stream else split
                raise UserError(f"there is no {asked}", place=data_bin, advice=f"it has {there}")
    wanted = [
        found
        for found in known
        if (found.split in splits if splits else found.split.startswith("test"))
        and (found.stream in streams if streams else True)
    ]
    if not wanted:
        raise UserError("it has no test set", place=data_bin, advice="name one by --split")
    return wanted


def generate(
    data_bin: Path, checkpoints: Sequence[Path], test_set: TestSet, out: Path, options: Sequence[str] = ()
) -> str:
    """Translate one test set, and write OUT/STREAM/generate-SPLIT.txt.

    Args:
        data_bin: of the checkpoints.
        checkpoints: several decode as an ensemble.
        test_set: what to translate.
        out: folder.
        options: fairseq-generate's.

    Returns:
        A line with the scores.

    Raises:
        UserError: what cannot be decoded.
        ValueError: an option does not fit the model.
    """
    from ..score import References, score_output

    started = time.perf_counter()
    for checkpoint in checkpoints:
        check_archive(checkpoint)
        if not zipfile.is_zipfile(checkpoint):  # the form of all that torch saves
            raise UserError("cannot be read as a checkpoint of fairseq-train", place=checkpoint)
    output = test_set.output(out)
    with held_file(output, [data_bin, *checkpoints]), whole_files(output) as folder:
        num_cut = run_fairseq_generate(data_bin, checkpoints, test_set, folder, options)
    score = score_output(output, References.of_data_bin(data_bin, test_set.split, test_set.stream))
    seconds = time.perf_counter() - started
    cut = f", {num_cut} of them as long as may be, and perhaps cut," if num_cut else ""
    return (
        f"{test_set.split}, {test_set.stream}: BLEU {score.bleu:.1f}  chrF {score.chrf:.1f}  brevity penalty "
        f"{score.bp:.3f}  {score.sentences} sentences{cut} in {seconds:.0f} s -> {output}"
    )


def run_fairseq_generate(
    data_bin: Path, checkpoints: Sequence[Path], test_set: TestSet, folder: Path, options: Sequence[str]
) -> int:
    """Call fairseq-generate in this process, which writes to `folder`; the number of outputs that may be cut."""
    import torch

    from preprocess.files.program.fairseq_import import process_unchanged

    from .. import plugin  # noqa: F401
    from ..cpu_processes import distributed_utils
    from ..generators.followed.cut_outputs import CutCounter
    from ..outdated_calls import ignore_torch_warnings

    with process_unchanged():
        from fairseq import options as fairseq_options
        from fairseq.dataclass.utils import convert_namespace_to_omegaconf
        from fairseq_cli import generate as fairseq_generate

    argv = [str(data_bin), "--user-dir", str(USER_DIR), "--task", "hmst_translation", "--gen-subset", test_set.split]
    argv += ["--path", os.pathsep.join(map(str, checkpoints)), "--eval-stream", test_set.stream]
    argv += ["--results-path", str(folder), "--no-progress-bar"]
    if not any(option.startswith(("--max-tokens", "--batch-size", "--max-sentences")) for option in options):
        argv += ["--max-tokens", str(DEFAULT_MAX_TOKENS)]
    if not torch.cuda.is_available() and "--cpu" not in options:
        argv += ["--cpu", "--num-workers", "0"]
    parser = fairseq_options.get_generation_parser()
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed):
            arguments = fairseq_options.parse_args_and_arch(parser, input_args=[*argv, *options])
    except SystemExit as end:
        raise UserError(printed.getvalue().strip().rpartition("error: ")[2]) from end
    with process_unchanged(), contextlib.redirect_stdout(io.StringIO()), CutCounter() as cut:
        ignore_torch_warnings()
        logging.getLogger().handlers.clear()  # fairseq then logs into its output file
        distributed_utils.call_main(convert_namespace_to_omegaconf(arguments), fairseq_generate.main)
    return cut.count
