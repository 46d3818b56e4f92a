"""`python -m fairseq_hmst.text_start`."""

import sys

from .command import main

sys.exit(main())
