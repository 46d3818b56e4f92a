"""A corpus whose target languages are written with spaces and without."""

import random
from pathlib import Path

from toy import run_preprocess

WORDS = {
    "zh": ["天气", "很好", "今天", "我们", "去", "学校", "世界", "你好"],
    "ja": ["天気", "は", "とても", "良い", "です", "今日", "学校", "行く"],
    "th": ["วันนี้", "อากาศ", "ดี", "มาก", "เรา", "ไป", "โรงเรียน", "สวัสดี"],
    "ko": ["오늘", "날씨가", "아주", "좋다", "우리는", "학교에", "간다", "안녕"],
    "fr": ["aujourd'hui", "il", "fait", "très", "beau", "nous", "allons", "l'école"],
}
ENGLISH = "weather good today we go school world hello".split()
SPACES = {"ko": " ", "fr": " "}
ENDS = {"zh": "。", "ja": "。", "th": "", "ko": ".", "fr": "."}


def sentences(language: str, count: int, seed: int) -> list[tuple[list[int], str, str]]:
    """Units, English, and a sentence of `language`, word for word."""
    generator = random.Random(f"{language} {seed}")
    found = []
    for _ in range(count):
        words = generator.choices(range(8), k=generator.randint(2, 6))
        units = [4 * word + part for word in words for part in range(4)]
        text = SPACES.get(language, "").join(WORDS[language][word] for word in words) + ENDS[language]
        found.append((units, " ".join(ENGLISH[word] for word in words), text))
    return found


def make_scripts_data_bin(folder: Path, languages: tuple[str, ...] = tuple(WORDS)) -> Path:
    """Make folder/data-bin by the project's own stages; its rows are in the languages in turn."""
    (folder / "manifest").mkdir(parents=True)
    (folder / "units").mkdir()
    for seed, (split, count) in enumerate({"train": 30, "dev": 4, "test": 4}.items()):
        manifest = ["id\taudio\toffset\tduration\tsrc_lang\ttgt_lang\tsrc_text\ttgt_text\tspeaker"]
        lines = []
        by_language = [[(language, *row) for row in sentences(language, count, seed)] for language in languages]
        rows = [row for several in zip(*by_language, strict=True) for row in several]
        for number, (language, units, english, text) in enumerate(rows):
            manifest.append(f"{split}-{number}\tx.wav\t0\t1\ten\t{language}\t{english}\t{text}\t")
            lines.append(f"{split}-{number}\t{' '.join(map(str, units))}")
        (folder / "manifest" / f"{split}.tsv").write_text("\n".join(manifest) + "\n", encoding="utf-8")
        (folder / "units" / f"{split}.units").write_text("\n".join(lines) + "\n")
    text, train = folder / "manifest" / "train.tsv", folder / "units" / "train.units"
    letters = {letter for language in languages for word in (*WORDS[language], ENDS[language]) for letter in word}
    sizes = ["--unit-vocab", 34, "--source-vocab", 20, "--target-vocab", len(letters) + 12]
    options = ["--units", train, "--source-text", text, "--target-text", text, *sizes]
    run_preprocess("subwords", *options, "--out", folder / "subwords")
    inputs = ["--manifest-dir", folder / "manifest", "--units-dir", folder / "units", "--subwords", folder / "subwords"]
    run_preprocess("binarize", *inputs, "--repeat", 2, "--out", folder / "data-bin")
    return folder / "data-bin"
