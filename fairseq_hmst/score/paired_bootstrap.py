"""sacreBLEU's paired bootstrap (Koehn 2004), as `sacrebleu --paired-bs` has it.

It compares absolute differences with their mean and is below 0.05 for more than 5 % of equally good systems.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sacrebleu.metrics.base import Metric
from sacrebleu.significance import PairedTest, Result


def paired_bootstrap_p_values(
    metric: Metric, systems: Mapping[str, Sequence[str]], references: Sequence[str], resamples: int, seed: int
) -> dict[str, float]:
    """The p-value of each system but the first, which the others are compared with.

    Args:
        metric: of the texts as they are given.
        systems: name -> hypotheses, two systems or more.
        references: parallel to each system's hypotheses.
        resamples: test sets drawn.
        seed: 1 or more; sacreBLEU takes 0 for none.
    """
    with _sacrebleu_seed(seed):
        test = PairedTest([*systems.items()], {"metric": metric}, [references], test_type="bs", n_samples=resamples)
        signatures, results = test()
    (name,) = signatures
    found = zip(systems, results[name], strict=True)
    return {
        system: float(result.p_value)
        for system, result in found
        if isinstance(result, Result) and result.p_value is not None
    }


@contextmanager
def _sacrebleu_seed(seed: int) -> Iterator[None]:
    """Give sacreBLEU its seed, which it reads from the environment alone."""
    name, before = "SACREBLEU_SEED", os.environ.get("SACREBLEU_SEED")
    os.environ[name] = str(seed)
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before
