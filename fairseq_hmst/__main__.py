"""`python -m fairseq_hmst`: the command `hmst`."""

import sys

from .command.hmst import main

sys.exit(main())
