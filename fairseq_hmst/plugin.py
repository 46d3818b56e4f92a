"""The registration with fairseq: importing this module registers the task, the models and the criterion."""

from . import compat, cpu_processes, outdated_calls  # noqa: F401  (first: the modules below need their patches)
from .checkpoints import training, weights  # noqa: F401
from .criterions import joint_criterion  # noqa: F401
from .models import architectures  # noqa: F401
from .tasks import hmst_translation  # noqa: F401
from .training import failed_updates, missing_batches, optimizers, precision  # noqa: F401
