"""The README.md of a model folder, with the front matter that the Hugging Face hub reads."""

import json
from dataclasses import dataclass
from pathlib import Path

import msgspec
import yaml

from preprocess.files.cards.data_bin_card import KeptTextModel
from preprocess.files.text_models import forbids_commercial_use

from ..model_folder.card import EncoderEntry, ModelCard
from ..model_folder.families import FAMILIES

LIMITATIONS = """\
- It was trained on the data that the line "data" below names, and on nothing else: other accents, noise, recording
  conditions or subjects than those of its training data are likely to be translated badly.
- It always writes something, also for silence, music, or speech in a language that it does not know.
- Long recordings are cut at pauses found by loudness; each part is translated without knowing the others.
- Do not rely on its output where a mistake can do harm without a person checking it."""


@dataclass(frozen=True)
class ShownScore:
    """A row of what `hmst score --format json` prints, as far as it is shown."""

    system: str
    language: str
    sentences: int
    bleu: float
    chrf: float
    bp: float
    bleu_signature: str = ""
    chrf_signature: str = ""


@dataclass(frozen=True)
class ShownScores:
    """The scores that `hmst score --format json` prints."""

    scores: tuple[ShownScore, ...]


def write_readme(path: Path, name: str, card: ModelCard) -> None:
    """Write README.md.

    Args:
        path: the file.
        name: of the model's folder.
        card: of the model's folder.
    """
    path.write_text("\n".join([*_front_matter(card), *_use(name, card), *_description(card)]), encoding="utf-8")


def _front_matter(card: ModelCard) -> list[str]:
    front: dict[str, object] = {
        "language": sorted({*card.languages.source, *card.languages.target}),
        "pipeline_tag": "automatic-speech-recognition",  # the hub has none for speech translation
        "library_name": "fairseq_hmst",
        "tags": ["speech-translation", "discrete-units", "fairseq", *_families(card)],
    }
    if card.text_model is not None and forbids_commercial_use(card.text_model.license):
        front["license"] = card.text_model.license
    return ["---", yaml.safe_dump(front, allow_unicode=True, sort_keys=False).rstrip(), "---", ""]


def _use(name: str, card: ModelCard) -> list[str]:
    pair = f"{', '.join(card.languages.source)} to {', '.join(card.languages.target)}"
    return [
        f"# {name}",
        "",
        f"Speech translation, {pair}, with discrete speech units and hard parameter sharing between speech and "
        f"text (arXiv:2309.15826): {' and '.join(FAMILIES[name] for name in _families(card))}, "
        f"{card.parameters:,} parameters{_made_of(card)}.",
        "",
        "## Use",
        "",
        "With the Python package fairseq_hmst installed as its own README says:",
        "",
        *_encoder_to_find(card.encoder),
        "```",
        f"hmst translate {name} {_encoder_option(card.encoder)}recording.wav",
        "```",
        "",
        "```python",
        "from fairseq_hmst.translate import Translator",
        "",
        f'print(Translator.from_pretrained("{name}"{_encoder_argument(card.encoder)}).translate("recording.wav").text)',
        "```",
        "",
    ]


def _description(card: ModelCard) -> list[str]:
    return [
        "## Scores",
        "",
        *_scores(card.scores),
        "",
        "## Limitations",
        "",
        LIMITATIONS,
        *_license_limits(card.text_model),
        "",
        "## Made of",
        "",
        f"- data: `{card.signature}`",
        f"- speech encoder: {_encoder(card.encoder)}",
        *_text_model(card.text_model),
        f"- decodings: {', '.join(card.decodings)}",
        f"- fairseq_hmst {card.versions.fairseq_hmst}, torch {card.versions.torch}",
        "- `card.json` has the SHA-256 of every file; no file holds code or pickled objects.",
        "",
    ]


def _encoder_to_find(encoder: EncoderEntry | None) -> list[str]:
    """A line on the speech encoder, where it must be at hand before the commands work."""
    if encoder is None or not encoder.must_be_named:
        return []
    return [f"(`{encoder.name}` is the folder of the speech encoder, which is not in this one.)", ""]


def _encoder_option(encoder: EncoderEntry | None) -> str:
    """The option of the command that names the speech encoder, where it is needed."""
    return f"--encoder {encoder.name} " if encoder is not None and encoder.must_be_named else ""


def _encoder_argument(encoder: EncoderEntry | None) -> str:
    """The argument of the call that names the speech encoder, where it is needed."""
    return f', encoder="{encoder.name}"' if encoder is not None and encoder.must_be_named else ""


def _families(card: ModelCard) -> list[str]:
    return list(dict.fromkeys(card.architectures))


def _made_of(card: ModelCard) -> str:
    if len(card.architectures) > 1:
        return f" in an ensemble of {len(card.architectures)} models"
    return f", the average of {card.averaged_checkpoints} checkpoints" if card.averaged_checkpoints > 1 else ""


def _encoder(encoder: EncoderEntry | None) -> str:
    if encoder is None:
        return "not known; the model translates units and text alone"
    if encoder.is_mfcc:
        return "none; units are clusters of MFCC"
    where = encoder.hub_name and f"`{encoder.hub_name}` on the hub"
    where = "in `encoder/`" if encoder.included else where or "not in this folder: give its folder by `--encoder`"
    return f"{encoder.name}, layer {encoder.layer}, sha256 `{encoder.hash[:16]}` ({where})"


def _text_model(model: KeptTextModel | None) -> list[str]:
    """A line on the text model that the pieces are of, and probably the first weights."""
    if model is None:
        return []
    return [f"- text model: {model.name} ({model.convention}), licence: {model.license or 'its README names none'}"]


def _license_limits(model: KeptTextModel | None) -> list[str]:
    if model is None or not forbids_commercial_use(model.license):
        return []
    return [
        f"- The licence of the text model {model.name}, {model.license}, forbids commercial use, also of this model."
    ]


def _scores(scores: object) -> list[str]:
    """A table of what hmst score printed, or any other JSON value as it is."""
    if scores is None:
        return ["None were given when the model was exported."]
    try:
        rows = msgspec.convert(scores, ShownScores).scores
    except msgspec.ValidationError:
        return ["```json", json.dumps(scores, ensure_ascii=False, indent=2), "```"]
    table = ["| system | language | sentences | BLEU | chrF | brevity penalty |", "|---|---|---|---|---|---|"]
    table += [
        f"| {row.system} | {row.language} | {row.sentences} | {row.bleu:.1f} | {row.chrf:.1f} | {row.bp:.3f} |"
        for row in rows
    ]
    signatures = sorted({signature for row in rows for signature in (row.bleu_signature, row.chrf_signature)})
    return [*table, "", *(f"`{signature}`  " for signature in signatures if signature)]
