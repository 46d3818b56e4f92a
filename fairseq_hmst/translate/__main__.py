"""`python -m fairseq_hmst.translate`, which is `hmst-translate`."""

import sys

from .command import main

sys.exit(main())
