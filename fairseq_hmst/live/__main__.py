"""`python -m fairseq_hmst.live`, the same as `hmst live`."""

import sys

from .command import main

sys.exit(main())
