"""All families of text models that can be started from, by their model_type."""

from .family import Family
from .m2m_100 import M2M_100
from .marian import MARIAN
from .mbart import MBART

FAMILIES = {family.models.model_type: family for family in (MBART, M2M_100, MARIAN)}


def family_of(convention: str) -> Family:
    """The family whose models have a convention of `languages.CONVENTIONS`."""
    return next(family for family in FAMILIES.values() if convention in family.conventions)
