"""The start of fairseq-hydra-train with fairseq_hmst; hydra imports every module of this namespace before it begins.

fairseq-train imports --user-dir before it starts the processes of a training, fairseq-hydra-train only in each of them,
too late to start them on CPUs or to see that torchrun started others. Here it is imported first, if it is ours. No
other program is touched.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairseq.dataclass.configs import FairseqConfig

PACKAGE = "fairseq_hmst"


def import_user_dir_first() -> None:
    """Let fairseq, which is imported already, import our user-dir before its processes."""
    from fairseq.distributed import utils as distributed_utils
    from fairseq.utils import import_user_module

    call_main = distributed_utils.call_main

    def import_and_call_main(cfg: "FairseqConfig", main: Callable[..., None], **kwargs: object) -> None:
        distributed_utils.call_main = call_main  # the package takes its place when it is imported
        if cfg.common.user_dir is not None and Path(cfg.common.user_dir).resolve().name == PACKAGE:
            import_user_module(cfg.common)
        distributed_utils.call_main(cfg, main, **kwargs)

    distributed_utils.call_main = import_and_call_main


if "fairseq_cli.train" in sys.modules:
    import_user_dir_first()
