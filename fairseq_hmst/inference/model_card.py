"""The README.md of a model folder: a model card with the front matter that the Hugging Face hub reads."""

import json
from typing import Any

import yaml

FAMILIES = {
    "hmst_aed": "attentional encoder-decoder",
    "hmst_ctc": "CTC",
    "hmst_ctc_attention": "joint CTC and attention",
    "hmst_transducer": "RNN transducer",
}
LIMITATIONS = """\
- It was trained on the data that the line "data" below names, and on nothing else: other accents, noise, recording
  conditions or subjects than those of its training data are likely to be translated badly.
- It always writes something, also for silence, music, or speech in a language that it does not know.
- Long recordings are cut at pauses found by loudness; each part is translated without knowing the others.
- Do not rely on its output where a mistake can do harm without a person checking it."""


def model_card(name: str, card: dict[str, Any]) -> str:
    """The text of README.md.

    Args:
        name: of the model's folder.
        card: the model folder's card.json.
    """
    sources, targets = card["languages"]["source"], card["languages"]["target"]
    pair = f"{', '.join(sources)} to {', '.join(targets)}"
    front = {
        "language": sorted({*sources, *targets}),
        "pipeline_tag": "automatic-speech-recognition",  # the hub has none for speech translation
        "library_name": "fairseq_hmst",
        "tags": ["speech-translation", "discrete-units", "fairseq", *_families(card)],
    }
    return "\n".join(
        [
            "---",
            yaml.safe_dump(front, allow_unicode=True, sort_keys=False).rstrip(),
            "---",
            "",
            f"# {name}",
            "",
            f"Speech translation, {pair}, with discrete speech units and hard parameter sharing between speech and "
            f"text (arXiv:2309.15826): {' and '.join(FAMILIES[name] for name in _families(card))}, "
            f"{card['parameters']:,} parameters{_made_of(card)}.",
            "",
            "## Use",
            "",
            "With the Python package fairseq_hmst installed as its own README says:",
            "",
            "```",
            f"hmst-translate {name} recording.wav",
            "```",
            "",
            "```python",
            "from fairseq_hmst.translate import Translator",
            "",
            f'print(Translator.from_pretrained("{name}").translate(["recording.wav"])[0].text)',
            "```",
            "",
            "## Scores",
            "",
            *_scores(card["scores"]),
            "",
            "## Limitations",
            "",
            LIMITATIONS,
            "",
            "## Made of",
            "",
            f"- data: `{card['signature']}`",
            f"- speech encoder: {_encoder(card['encoder'])}",
            f"- decodings: {', '.join(card['decodings'])}",
            f"- fairseq_hmst {card['versions']['fairseq_hmst']}, torch {card['versions']['torch']}",
            "- `card.json` has the SHA-256 of every file; no file holds code or pickled objects.",
            "",
        ]
    )


def _families(card: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(card["architectures"]))


def _made_of(card: dict[str, Any]) -> str:
    models, averaged = len(card["architectures"]), card["averaged_checkpoints"]
    if models > 1:
        return f" in an ensemble of {models} models"
    return f", the average of {averaged} checkpoints" if averaged > 1 else ""


def _encoder(encoder: dict[str, Any] | None) -> str:
    if encoder is None:
        return "not known; the model translates units and text alone"
    if encoder["name"] == "mfcc":
        return "none; units are clusters of MFCC"
    where = encoder["hub_name"] and f"`{encoder['hub_name']}` on the hub"
    where = "in `encoder/`" if encoder["included"] else where or "not in this folder: give its folder by `--encoder`"
    return f"{encoder['name']}, layer {encoder['layer']}, sha256 `{encoder['hash'][:16]}` ({where})"


def _scores(scores: Any) -> list[str]:
    if scores is None:
        return ["None were given when the model was exported."]
    rows = scores.get("scores") if isinstance(scores, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and {"bleu", "chrf"} <= row.keys() for row in rows):
        return ["```json", json.dumps(scores, ensure_ascii=False, indent=2), "```"]
    table = ["| system | language | sentences | BLEU | chrF | brevity penalty |", "|---|---|---|---|---|---|"]
    table += [
        f"| {row['system']} | {row['language']} | {row['sentences']} | {row['bleu']:.1f} | {row['chrf']:.1f} | "
        f"{row['bp']:.3f} |"
        for row in rows
    ]
    signatures = sorted({row[key] for row in rows for key in ("bleu_signature", "chrf_signature") if row.get(key)})
    return [*table, "", *(f"`{signature}`  " for signature in signatures)]
