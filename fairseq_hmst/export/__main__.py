"""`python -m fairseq_hmst.export`."""

import sys

from .command import main

sys.exit(main())
