"""Scores of a live translation: quality and latency, as a table or as JSON."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sacrebleu.metrics import CHRF

from preprocess.files.languages import split_language

from ...bleu import AUTO, BleuError, BleuScorer, is_written_without_spaces, tokenizer_of
from ..errors import ScoreError
from .logs import LoggedUpdate, read_logs
from .omnisteval import Measures, installed_version, run_omnisteval
from .references import LiveReferences

LATENCY = """\
LongYAAL: mean time from a word's place in its segment, if all were spoken evenly, to the sound heard when it was
written; what is written after the last segment of a recording has none
computation-aware: the same and the computing of what was written"""


@dataclass(frozen=True)
class LiveScore:
    """Scores of a live translation of some recordings.

    Attributes:
        recordings, sentences: how many were scored.
        measures: BLEU, chrF and latencies.
        level: what is aligned and has a latency: words, or characters in languages without spaces.
        alignment_language: whose tokens Moses cuts words into for the alignment; None: words end at spaces.
        bleu_signature, chrf_signature: sacreBLEU's own.
        omnisteval: its version.
    """

    recordings: int
    sentences: int
    measures: Measures
    level: str
    alignment_language: str | None
    bleu_signature: str
    chrf_signature: str
    omnisteval: str

    def as_json(self) -> str:
        """One object; latencies in seconds, null where no word came before its recording's end."""
        values = asdict(self)
        return json.dumps(values.pop("measures") | values, ensure_ascii=False, indent=2)

    def as_text(self) -> str:
        """A table, and below it what the figures mean."""
        cells = {
            "recordings": str(self.recordings),
            "sentences": str(self.sentences),
            "BLEU": f"{self.measures.bleu:.1f}",
            "chrF": f"{self.measures.chrf:.1f}",
            "LongYAAL": _seconds(self.measures.long_yaal),
            "computation-aware": _seconds(self.measures.computation_aware_long_yaal),
        }
        widths = [max(len(name), len(value)) for name, value in cells.items()]
        table = ["  ".join(map(str.rjust, line, widths)) for line in (cells.keys(), cells.values())]
        tokens = f"tokens of Moses for '{self.alignment_language}'" if self.alignment_language else f"{self.level}s"
        notes = [f"BLEU: {self.bleu_signature}", f"chrF: {self.chrf_signature}"]
        return "\n".join([*table, "", LATENCY, "", *notes, f"OmniSTEval: {self.omnisteval}, aligned by {tokens}"])


def score_live(
    logs: Sequence[Path], references: LiveReferences, target_language: str = "", tokenizer: str = AUTO
) -> LiveScore:
    """Score a live translation by OmniSTEval.

    Args:
        logs: see `read_logs`.
        references: of the same recordings.
        target_language: for tokens and level of the alignment, and for BLEU's tokenizer; "": words end at spaces.
        tokenizer: of BLEU; auto: that of the language.

    Raises:
        ScoreError: logs and references do not fit or cannot be read; OmniSTEval, perl or the tokenizer is not
            installed; or OmniSTEval fails.
    """
    installed = installed_version()
    recordings = _in_order(read_logs(logs), references)
    if tokenizer == AUTO:
        tokenizer = tokenizer_of(target_language)
    level = "char" if is_written_without_spaces(target_language) else "word"
    language = _alignment_language(target_language) if level == "word" else None
    signatures = _signatures(tokenizer)
    options = [f"--{level}_level", "--bleu_tokenizer", tokenizer, *(("--lang", language) if language else ())]
    with tempfile.TemporaryDirectory() as folder:
        measures = run_omnisteval(Path(folder), recordings, references, options)
    return LiveScore(
        recordings=len(recordings),
        sentences=len(references.sentences),
        measures=measures,
        level="character" if level == "char" else level,
        alignment_language=language,
        bleu_signature=signatures[0],
        chrf_signature=signatures[1],
        omnisteval=installed,
    )


def _in_order(logged: dict[str, list[LoggedUpdate]], references: LiveReferences) -> list[list[LoggedUpdate]]:
    known = references.recordings
    for name in logged:
        if name not in known:
            raise ScoreError(
                f"recording '{name}' of the log is not in {references.segmentation}, which has {', '.join(known)}",
                advice="a log of `hmst live` must have the name of its recording",
            )
    missing = [name for name in known if not logged.get(name)]
    if missing:
        raise ScoreError(f"no log has a translation of {', '.join(missing)}, which {references.segmentation} names")
    return [logged[name] for name in known]


def _alignment_language(target_language: str) -> str | None:
    if not target_language:
        return None
    if shutil.which("perl") is None:
        raise ScoreError(
            "--target-language needs perl, which runs the tokenizer of Moses",
            advice="install perl, or leave --target-language out: words then end at spaces alone",
        )
    return split_language(target_language)[0]


def _signatures(tokenizer: str) -> tuple[str, str]:
    """Signatures of BLEU and chrF."""
    chrf = CHRF()
    chrf.corpus_score([""], [[""]])  # it counts the references
    try:
        return BleuScorer(tokenizer).signature([""]), str(chrf.get_signature())
    except BleuError as error:
        raise ScoreError.of(error) from error


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
