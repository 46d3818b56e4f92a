"""A recipe without faults, which tests of `hmst check` change."""

from collections.abc import Callable

from recipe_corpus import RECIPE

WHOLE = f"""{RECIPE}
train: {{arch: hmst_aed_tiny, max-update: 2}}
decode: {{beam: 2}}
export: {{lenpen: 1.5}}
"""

Found = Callable[[str], list[str]]
