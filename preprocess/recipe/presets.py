"""Presets: settings that go with an amount of speech, each of which a recipe may override."""

from collections.abc import Mapping
from types import MappingProxyType

# section -> option -> value, as a recipe would write it
Preset = Mapping[str, Mapping[str, str]]

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # up to 10 hours of speech: tried on the 28 minutes and the 6000 announcements of the prompts
        "small": {
            "kmeans": {"clusters": "64", "portion": "0.3"},
            "subwords": {"unit-vocab": "100", "source-vocab": "400", "target-vocab": "400"},
            "train": {
                "arch": "hmst_ctc_attention_tiny",
                "lr": "0.003",
                "warmup-updates": "300",
                "max-update": "2000",
                "max-tokens": "6000",
                "validate-interval-updates": "200",
                "keep-best-checkpoints": "3",
            },
        },
        # 10 to 100 hours
        "medium": {
            "kmeans": {"clusters": "500"},
            "subwords": {"unit-vocab": "1000", "source-vocab": "2000", "target-vocab": "2000"},
            "train": {
                "arch": "hmst_ctc_attention_base",
                "lr": "0.001",
                "warmup-updates": "5000",
                "max-update": "40000",
                "max-tokens": "15000",
                "validate-interval-updates": "1000",
                "keep-best-checkpoints": "5",
            },
        },
        # more than 100 hours: the paper's
        "large": {
            "kmeans": {"clusters": "2000"},
            "subwords": {"unit-vocab": "4000", "source-vocab": "4000", "target-vocab": "4000"},
            "train": {
                "arch": "hmst_ctc_attention_base",
                "lr": "0.001",
                "warmup-updates": "10000",
                "max-update": "100000",
                "max-tokens": "20000",
                "validate-interval-updates": "2000",
                "keep-best-checkpoints": "10",
            },
        },
    }
)
