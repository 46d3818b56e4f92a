"""The table of policies, and which of them each decoding takes where none was chosen."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from preprocess.errors import OptionError

from ...generators.followed.table import ATTENTION, CTC, JOINT, TRANSDUCER

if TYPE_CHECKING:
    from .policy import Policy

ALIGNATT, AGREEMENT, LOOK_AHEAD, CTC_PREFIX = "alignatt", "agreement", "look-ahead", "ctc-prefix"
WAIT = "wait"  # for the end: everything is translated there, as `hmst translate` does
# Decodings that each policy can be used with
DECODINGS = {
    ALIGNATT: (ATTENTION, JOINT),
    AGREEMENT: (ATTENTION, CTC, TRANSDUCER, JOINT),
    LOOK_AHEAD: (CTC, TRANSDUCER),
    CTC_PREFIX: (CTC, JOINT),
    WAIT: (ATTENTION, CTC, TRANSDUCER, JOINT),
}
POLICIES = tuple(DECODINGS)
DEFAULTS = {ATTENTION: ALIGNATT, CTC: LOOK_AHEAD, TRANSDUCER: LOOK_AHEAD, JOINT: CTC_PREFIX}


def choose_policy(name: str | None, decoding: str) -> str:
    """The policy of this name, or that of the decoding.

    Raises:
        OptionError: the decoding has not what the policy needs.
    """
    chosen = name or DEFAULTS[decoding]
    if decoding not in DECODINGS[chosen]:
        fitting = ", ".join(policy for policy, decodings in DECODINGS.items() if decoding in decodings)
        raise OptionError("policy", f"{chosen} cannot be used with decoding {decoding}; it has: {fitting}")
    return chosen


def policy_maker(name: str) -> "Callable[[], Policy]":
    """The class of a policy, an object of which each segment needs; `wait` has none."""
    from .agreement import LocalAgreement
    from .alignatt import AlignAtt
    from .ctc_prefix import CTCPrefix
    from .look_ahead import LookAhead

    makers: dict[str, Callable[[], Policy]] = {
        ALIGNATT: AlignAtt,
        AGREEMENT: LocalAgreement,
        LOOK_AHEAD: LookAhead,
        CTC_PREFIX: CTCPrefix,
    }
    return makers[name]
