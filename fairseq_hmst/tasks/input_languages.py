"""The languages of input without targets (fairseq-interactive), which no data-bin names."""

from preprocess.errors import OptionError

from ..data.data_bin import DataBin, DataBinError


class InputLanguages:
    """Source and target language of input without targets, as far as language symbols name them.

    Args:
        data_bin: its card lists the languages.
        given: side (`source`, `target`) -> the language that the user named by --SIDE-language, or None.

    Raises:
        OptionError: a language is given where it makes no difference, or the data-bin does not have it.
    """

    def __init__(self, data_bin: DataBin, given: dict[str, str | None]) -> None:
        self._languages = {"source": data_bin.source_languages, "target": data_bin.target_languages}
        symbols = data_bin.language_symbols
        self._named = {symbols.named_in_source, "target" if symbols.target_form else None}
        self._given = given
        for side, language in given.items():
            self._check(side, language)

    def _check(self, side: str, language: str | None) -> None:
        languages = self._languages[side]
        if language is None:
            return
        if side not in self._named or len(languages) == 1:
            why = "one" if len(languages) == 1 else "a form that does not name its"
            raise OptionError(f"{side}_language", f"{language} has no effect: the data-bin has {why} {side} language")
        if language not in languages:
            raise OptionError(f"{side}_language", f"{language}: the data-bin has {', '.join(languages)}")

    def __getitem__(self, side: str) -> str | None:
        """The language of a side (`source`, `target`); None where nothing names it.

        Raises:
            DataBinError: there are several, and none was given.
        """
        languages = self._languages[side]
        if side not in self._named:
            return None
        if self._given[side] is None and len(languages) > 1:
            raise DataBinError(
                f"the data-bin has several {side} languages; name that of the input by --{side}-language, "
                f"one of {', '.join(languages)}"
            )
        return self._given[side] or languages[0]

    def refuse_for_data(self, split: str) -> None:
        """Raise a ValueError if a language is given for data that name their own."""
        for side, language in self._given.items():
            if language is not None:
                raise ValueError(
                    f"--{side}-language {language} has no effect on '{split}': the examples of a data-bin name their "
                    "languages; the option is for input without targets (fairseq-interactive)"
                )
