"""One module a corpus, from a raw release to its rows by split; `Corpus` says what each offers.

What is the same for all corpora is done by the stage `manifest`: checks, filters, leaving out rows at fault. A file
that is not in its form (other columns, line counts that differ) is an error of the module. Rows of a split `mt`,
without audio, become external text.
"""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from ..files.manifest import Utterance

CORPORA = ("tsv", "must_c", "covost2", "mtedx", "fish_fillets", "libreoffice_help", "prompts")


class Corpus(Protocol):
    """A module of this folder.

    Attributes:
        SUMMARY: one line for the help.
        OPTIONS: frozen dataclass of its options; see `files.program.options`.
    """

    __doc__: str | None
    SUMMARY: str
    OPTIONS: type["DataclassInstance"]

    def read_splits(self, root: Path, options: object) -> Mapping[str, Sequence["Utterance"]]:
        """Rows of every split, all as the release has them, best as `rows.row.Row`.

        Args:
            root: the release, which is there.
            options: an OPTIONS.

        Raises:
            ManifestError: a file is missing, or is not in its form.
        """
        ...


@runtime_checkable
class FetchedCorpus(Corpus, Protocol):
    """A corpus that can make its own --root; its OPTIONS have a field `fetch`."""

    def fetch(self, root: Path, options: object) -> None:
        """Make what `root` lacks.

        Raises:
            PreprocessError: something cannot be had or made.
        """
        ...


def import_corpus(name: str) -> Corpus:
    """The module of one of CORPORA."""
    return cast(Corpus, importlib.import_module(f".{name}", __name__))
