"""`python -m fairseq_hmst.score`, which is `hmst-score`."""

import sys

from .command import main

sys.exit(main())
