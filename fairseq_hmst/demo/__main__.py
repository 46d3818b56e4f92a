"""`python -m fairseq_hmst.demo`, which is `hmst-demo`."""

import sys

from .command import main

sys.exit(main())
