"""Speech translation with discrete units and hard parameter sharing (arXiv 2309.15826), as a plugin of fairseq.

Importing it is light and changes nothing in the process. `fairseq_hmst.plugin` registers task, models and criterion
with fairseq; `--user-dir` of any fairseq command reaches it through the folder `tasks`, which fairseq looks through.
"""

from typing import TYPE_CHECKING

from .installation import check_preprocess
from .lazy import imported_when_asked_for
from .version import __version__

if TYPE_CHECKING:
    from .translate import Translator

__all__ = ["Translator", "__version__"]

check_preprocess()

__getattr__ = imported_when_asked_for(__name__, {"Translator": ".translate"})
