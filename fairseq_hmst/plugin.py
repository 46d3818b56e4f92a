"""The registration with fairseq: importing this module registers the task, the models and the criterion."""

from . import (  # noqa: F401  (first: the modules below need their patches)
    compat,
    cpu_processes,
    failed_updates,
    missing_batches,
    optimizers,
    outdated_calls,
    precision,
)
from .checkpoints import training, weights  # noqa: F401
from .criterions import joint_criterion  # noqa: F401
from .models import architectures  # noqa: F401
from .tasks import hmst_translation  # noqa: F401
