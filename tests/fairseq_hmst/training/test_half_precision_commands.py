"""`--bf16` in every spelling of a command, which fairseq takes for an order of TPUs; and what excludes what."""

from pathlib import Path

import pytest
import torch
from fairseq import options
from fairseq.dataclass.configs import CommonConfig, CommonEvalConfig, EMAConfig, FairseqConfig
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.distributed import utils as distributed_utils
from forked_trainings import ForkedTrainings
from toy import REPOSITORY
from training import PACKAGE, training_command

import fairseq_hmst.plugin  # noqa: F401
from fairseq_hmst.command.train.fairseq_options import fairseq_train_options, process_command
from preprocess.errors import OptionError

SMALL = "--max-tokens 300 --max-update 1 --embed-dim 16 --ffn-embed-dim 16 --encoder-layers 1 --disable-validation"
HYDRA = ["fairseq-hydra-train", "--config-dir", str(REPOSITORY / "examples" / "prompts"), "--config-name", "training"]
OF_HYDRA = "dataset.max_tokens=300 optimization.max_update=1 dataset.disable_validation=true task.eval_bleu=false"
OF_HYDRA += " +model.embed_dim=16 +model.ffn_embed_dim=16 +model.encoder_layers=1 +model.decoder_layers=1"
STARTS = {
    "fairseq-train": ("--bf16", 1),
    "fairseq-train by two processes": ("--memory-efficient-bf16", 2),
    "hmst train": ("--bf16", 1),
    "fairseq-hydra-train": ("common.memory_efficient_bf16=true", 1),
}


def command_of(way: str, option: str, processes: int, data_bin: Path, save_dir: Path) -> list[str]:
    if way == "fairseq-hydra-train":
        paths = f"task.data={data_bin} checkpoint.save_dir={save_dir} hydra.run.dir={save_dir}"
        return [*HYDRA, f"common.user_dir={PACKAGE}", *paths.split(), *OF_HYDRA.split(), option]
    words = [option, *SMALL.split(), "--distributed-world-size", str(processes)]
    command = training_command(data_bin, save_dir, *words)
    return process_command(fairseq_train_options(command[1:])) if way == "hmst train" else command


@pytest.mark.parametrize("way", STARTS)
def test_a_training_in_bfloat16_needs_neither_tpu_nor_gpu(
    way: str, trainings: ForkedTrainings, toy_data_bin: Path, tmp_path: Path
):
    option, processes = STARTS[way]
    log = tmp_path / "log"
    status = trainings.run(command_of(way, option, processes, toy_data_bin, tmp_path), log)
    said = log.read_text(encoding="utf-8", errors="replace")
    assert status == 0, said[-3000:]
    assert '"precision": "bfloat16"' in said
    assert f"training on {processes} devices" in said
    checkpoint = torch.load(tmp_path / "checkpoint_last.pt", weights_only=False)
    parts = ("common", "distributed_training", "optimizer")
    assert [checkpoint["cfg"][part]["tpu"] for part in parts] == [False, False, False]
    assert checkpoint["cfg"]["common"]["bf16"]
    weights = checkpoint["model"].values()
    assert all(torch.equal(weight, weight.bfloat16().float()) for weight in weights)
    expected = "MemoryEfficientFP16Optimizer" if "efficient" in option.replace("-", "_") else "FP16Optimizer"
    assert checkpoint["optimizer_history"][-1]["optimizer_name"] == expected


PARSERS = {
    "training": options.get_training_parser,
    "validation": options.get_validation_parser,
    "generation": options.get_generation_parser,
    "interactive": options.get_interactive_generation_parser,
}


def parse(kind: str, *words: str):
    task = ["data", "--task", "hmst_translation"]
    arch = ["--arch", "hmst_ctc_tiny", "--criterion", "hmst_joint"] if kind == "training" else []
    return options.parse_args_and_arch(PARSERS[kind](), [*task, *arch, *words])


@pytest.mark.parametrize("kind", PARSERS)
@pytest.mark.parametrize(
    ("words", "bf16", "tpu"),
    [
        ("--cpu", False, False),
        ("--bf16 --cpu", True, False),
        ("--seed 3 --memory-efficient-bf16", True, False),
        ("--tpu", False, True),
        ("--tpu --bf16", True, True),
        ("--bf16 --seed 3 --tpu", True, True),
    ],
)
def test_bfloat16_asks_for_a_tpu_where_the_user_does(kind, words, bf16, tpu):
    arguments = parse(kind, *words.split())
    assert (arguments.bf16, arguments.tpu) == (bf16, tpu)
    assert arguments.memory_efficient_bf16 == ("--memory-efficient-bf16" in words)


def test_options_without_their_defaults_hold_bfloat16_as_it_is_given():
    """As fairseq-validate reads what overrides the options of a checkpoint."""
    words = ["data", "--task", "hmst_translation", "--bf16"]
    found = options.parse_args_and_arch(PARSERS["validation"](), words, suppress_defaults=True)
    assert vars(found) == {"data": "data", "task": "hmst_translation", "bf16": True}
    words = [*words, "--nonsense", "--arch", "hmst_ctc_tiny"]
    known, unknown = options.parse_args_and_arch(PARSERS["training"](), words, parse_known=True)
    assert (known.bf16, known.tpu, unknown) == (True, False, ["--nonsense"])


@pytest.mark.parametrize(
    ("common", "path", "message"),
    [
        ({"fp16": True, "bf16": True}, None, "fp16 and bf16 exclude each other"),
        ({"memory_efficient_fp16": True, "memory_efficient_bf16": True}, None, "fp16 and bf16 exclude each other"),
        ({"bf16": True, "amp": True}, "checkpoint.pt", "bf16 and amp exclude each other"),
        ({"fp16": True}, None, "fp16 needs a GPU; bf16 trains on a CPU as well"),
        ({"amp": True}, None, "amp needs a GPU"),
        ({"bf16": True, "tpu": True}, None, "tpu needs torch_xla, which is not installed"),
        ({"fp16": True}, "checkpoint.pt", None),
        ({"bf16": True}, None, None),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_work(common, path, message):
    cfg = FairseqConfig(common=CommonConfig(cpu=True, **common), common_eval=CommonEvalConfig(path=path))
    begun = []
    if message is None:
        distributed_utils.call_main(cfg, begun.append)
        assert begun == [cfg]
        return
    with pytest.raises(OptionError, match=message):
        distributed_utils.call_main(cfg, begun.append)
    assert begun == []


def test_fairseq_train_names_what_was_asked_for(toy_data_bin, tmp_path):
    arguments = parse("training", "--fp16", "--bf16", "--cpu", "--optimizer", "adam")
    with pytest.raises(OptionError, match="fp16 and bf16 exclude each other"):
        distributed_utils.call_main(convert_namespace_to_omegaconf(arguments), lambda cfg: None)


@pytest.mark.parametrize(("common", "expected"), [({"bf16": True}, True), ({}, False)])
def test_moving_averages_of_half_precision_are_float32(common, expected):
    cfg = FairseqConfig(common=CommonConfig(cpu=True, **common), ema=EMAConfig(store_ema=True))
    distributed_utils.call_main(cfg, lambda cfg: None)
    assert cfg.ema.ema_fp32 == expected
