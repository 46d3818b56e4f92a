"""Messages from the ends of logs of trainings that failed."""

import pytest

from fairseq_hmst.command.train.failure import explain_failure

TRACEBACK = ["Traceback (most recent call last):", '  File "x.py", line 1, in <module>', "    main()"]


@pytest.mark.parametrize(
    ("tail", "status", "message"),
    [
        ([*TRACEBACK, "ValueError: --mt-weight must be 0 or more"], 1, "--mt-weight must be 0 or more"),
        ([*TRACEBACK, "preprocess.errors.OptionError: join_share 2.0 is: much"], 1, "--join-share 2.0 is: much"),
        ([*TRACEBACK, "fairseq_hmst.data.data_bin.DataBinError: a: b; c", "[W cleanup]"], 1, "a: b; c"),
        ([*TRACEBACK, "torch.OutOfMemoryError: CUDA out of memory."], 1, "OutOfMemoryError: CUDA out of memory."),
        ([*TRACEBACK, "AssertionError"], 1, "AssertionError"),
        (["usage: train.py [-h]", "train.py: error: unrecognized arguments: --x"], 2, "unrecognized arguments: --x"),
        (
            [*TRACEBACK, "KeyError: 'loss'", *TRACEBACK, "torch.multiprocessing.spawn.ProcessRaisedException: ", ""],
            1,
            "KeyError: 'loss'",
        ),
        (["an ordinary line"], 137, "fairseq-train was ended by SIGKILL, for want of memory perhaps"),
        (["an ordinary line"], 143, "fairseq-train was ended by SIGTERM"),
        ([], 3, "fairseq-train ended with exit status 3"),
    ],
)
def test_the_message_is_the_cause_in_a_line(tail, status, message):
    assert explain_failure(tail, status) == message
