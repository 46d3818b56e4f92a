"""fairseq plugin for speech translation with discrete units and hard parameter sharing (arXiv 2309.15826).

Give this folder to any fairseq command as `--user-dir`; importing it registers the task, models and criterion.
"""

from . import compat, cpu_processes  # noqa: F401  (first: the modules below need their patches)
from .criterions import joint_criterion  # noqa: F401
from .models import architectures  # noqa: F401
from .tasks import hmst_translation  # noqa: F401
from .version import __version__

__all__ = ["__version__"]
