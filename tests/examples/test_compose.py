"""The announcements of examples/prompts: recordings, wording, splits and sound."""

import csv
import random
import re
import subprocess
import sys
import unicodedata
import wave
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from num2words import num2words

PROMPTS = Path(__file__).parents[2] / "examples" / "prompts"
sys.path.insert(0, str(PROMPTS))

import compose  # noqa: E402
from grammar import KINDS  # noqa: E402
from numerals import number_recordings, ordinal_recordings  # noqa: E402
from phrases import Announcement  # noqa: E402
from splits import ComposeError, Sizes, draw_splits, share_out  # noqa: E402
from whole_prompts import whole_prompts  # noqa: E402

SMALL = Sizes(train=60, text=80, dev=20, test=30)


def read_tsv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def words(text: str) -> str:
    """Letters and digits only, so that hyphens, full stops and "[@]" make no difference between two wordings."""
    text = re.sub(r"\[.*?\]", "", text.lower())
    text = re.sub(r"\d+", lambda number: num2words(int(number[0])), text)
    return "".join(letter for letter in text if unicodedata.category(letter)[0] in "LN")


TEXTS = {row["id"]: row for row in read_tsv(PROMPTS / "recordings" / "texts.tsv")}


def said_by(recordings: tuple[str, ...]) -> str:
    return "".join(words(TEXTS[recording]["en"]) for recording in recordings)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prompts") / "corpus"
    compose.compose(out, SMALL, longest_seconds=3.0, seed=0)
    return out


@pytest.fixture(scope="module")
def splits() -> dict[str, list[tuple[str, Announcement]]]:
    return draw_splits(Sizes(train=3000, text=4000, dev=300, test=500), longest_seconds=3.0, seed=0)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_recording_decodes_as_mono_8_khz_and_all_fit_in_8_megabytes():
    files = sorted((PROMPTS / "recordings").rglob("*.ogg"))
    assert {str(path.relative_to(PROMPTS / "recordings").with_suffix("")) for path in files} == set(TEXTS)
    assert sum(path.stat().st_size for path in files) < 8e6
    for path in files:
        samples, rate = soundfile.read(path, dtype="float32")
        assert rate == 8000 and samples.ndim == 1, path
        assert 0.3 < len(samples) / rate <= 10.0, path
        assert len(samples) == soundfile.info(path).frames, path
        assert 0.1 < np.abs(samples).max() <= 1.1, path


def test_recordings_of_numbers_say_the_number():
    for number in range(10_000):
        assert said_by(number_recordings(number)) == words(num2words(number).replace(" and ", " ")), number
    for number in range(1, 32):
        assert said_by(ordinal_recordings(number)) == words(num2words(number, to="ordinal")), number


def test_the_english_of_every_announcement_is_what_its_recordings_say(splits):
    rng = random.Random(0)
    announcements = [draw(rng) for draw, _ in KINDS.values() for _ in range(3000)]
    for announcement in announcements + [a for rows in splits.values() for _, a in rows]:
        assert said_by(announcement.recordings) == words(announcement.en), announcement


@pytest.mark.parametrize(
    ("kind", "en", "fr", "es"),
    [
        ("messages", "You have one new message.", "Vous avez un nouveau message.", "Usted tiene un mensaje nuevo."),
        (
            "messages",
            "You have two new messages.",
            "Vous avez deux nouveaux messages.",
            "Usted tiene dos mensajes nuevos.",
        ),
        ("messages", "You have no messages.", "Vous n'avez aucun message.", "Usted no tiene ningún mensaje."),
        ("messages", "Twenty-three new messages.", "Vingt-trois nouveaux messages.", "Veintitrés mensajes nuevos."),
        ("messages", "Twenty-one old messages.", "Vingt et un anciens messages.", "Veintiún mensajes antiguos."),
        ("messages", "Thirty-one messages.", "Trente et un messages.", "Treinta y un mensajes."),
        ("messages", "First saved message.", "Premier message conservé.", "Primer mensaje guardado."),
        ("time", "One o'clock.", "Une heure.", "La una en punto."),
        ("time", "One fifteen.", "Une heure quinze.", "La una y quince."),
        ("time", "Two twenty-one.", "Deux heures vingt et une.", "Las dos y veintiuno."),
        ("time", "Three oh five P.M.", "Trois heures cinq de l'après-midi.", "Las tres y cinco de la tarde."),
        ("time", "Tomorrow at seven P.M.", "Demain à sept heures du soir.", "Mañana a las siete de la tarde."),
        ("time", "Friday at one A.M.", "Vendredi à une heure du matin.", "Viernes a la una de la mañana."),
        ("time", "Yesterday at nine P.M.", "Hier à neuf heures du soir.", "Ayer a las nueve de la noche."),
        ("date", "May first.", "Le premier mai.", "El primero de mayo."),
        ("date", "Monday, March twenty-first.", "Lundi vingt et un mars.", "Lunes, veintiuno de marzo."),
        ("duration", "One minute.", "Une minute.", "Un minuto."),
        ("duration", "Twenty-one minutes.", "Vingt et une minutes.", "Veintiún minutos."),
        ("duration", "Less than thirty-one hours.", "Moins de trente et une heures.", "Menos de treinta y una horas."),
        ("number", "Eighty-one.", "Quatre-vingt-un.", "Ochenta y uno."),
        ("number", "Minus five hundred.", "Moins cinq cents.", "Menos quinientos."),
        ("price", "Fifty-one dollars.", "Cinquante et un dollars.", "Cincuenta y un dólares."),
        ("setting", "Password cancelled.", "Mot de passe annulé.", "Contraseña cancelada."),
        ("setting", "Your location is saved.", "Votre emplacement est conservé.", "Su ubicación está guardada."),
        ("setting", "Speed-dial added.", "Numérotation abrégée ajoutée.", "Marcación rápida añadida."),
        (
            "choice",
            "Press star to listen to it.",
            "Appuyez sur étoile pour l'écouter.",
            "Marque asterisco para escucharlo.",
        ),
        ("choice", "For family, press two.", "Pour la famille, appuyez sur deux.", "Para la familia, marque dos."),
        ("digits", "Extension four zero.", "Poste quatre zéro.", "Extensión cuatro cero."),
        ("spelling", "K dash B.", "K tiret B.", "K guion B."),
        ("phonetic", "Charlie Foxtrot.", "Charlie Foxtrot.", "Carlos Francia."),
        (
            "prompt",
            "We're sorry. Invalid choice.",
            "Nous sommes désolés. Ce choix n'est pas valide.",
            "Lo sentimos. Opción inválida.",
        ),
    ],
)
def test_number_gender_and_word_order_agree(kind, en, fr, es):
    draw, rng = KINDS[kind][0], random.Random(0)
    announcement = next(a for a in (draw(rng) for _ in range(200_000)) if a.en == en)
    assert (announcement.fr, announcement.es) == (fr, es)


def test_no_target_sentence_of_dev_or_test_is_in_training(splits):
    for language in ("fr", "es"):
        sentences = {split: [words(getattr(a, language)) for _, a in rows] for split, rows in splits.items()}
        training = set(sentences["train"] + sentences["text"])
        assert not training & set(sentences["dev"] + sentences["test"])
        assert not set(sentences["dev"]) & set(sentences["test"])
        assert not set(sentences["train"]) & set(sentences["text"])
        for split in ("dev", "test", "text"):
            assert len(set(sentences[split])) == len(sentences[split])


def test_dev_and_test_have_each_kind_as_often_as_training(splits):
    for split in ("train", "dev", "test"):
        counts = Counter(kind for kind, _ in splits[split])
        for kind, (_, share) in KINDS.items():
            assert abs(counts[kind] - share * len(splits[split])) <= 1
    assert sum(share for _, share in KINDS.values()) == pytest.approx(1)
    assert all(sum(share_out(size).values()) == size for size in (0, 1, 7, 500, 6000))


def test_whole_prompts_have_three_words_and_recordings_unknown_to_training(splits):
    training = [a for split in ("train", "text") for _, a in splits[split]]
    recordings = {recording for a in training for recording in a.recordings}
    sentences = {words(text) for a in training for text in (a.fr, a.es)}
    prompts = whole_prompts(training)
    assert 80 <= len(prompts) <= 100
    for prompt in prompts:
        assert len(prompt.recordings) == 1 and prompt.recordings[0] not in recordings
        assert len(prompt.en.split()) >= 3
        assert not {words(prompt.fr), words(prompt.es)} & sentences
        assert said_by(prompt.recordings) == words(prompt.en)


def test_the_table_and_the_sound_files_agree(corpus):
    rows = read_tsv(corpus / "announcements.tsv")
    assert list(rows[0]) == ["id", "split", "audio", "seconds", "recordings", "en", "fr", "es"]
    assert len({row["id"] for row in rows}) == len(rows)
    counts = Counter((row["split"], bool(row["audio"])) for row in rows)
    prompts = counts.pop(("test_prompts", True))
    assert 80 <= prompts <= 100
    assert counts == {("train", True): 60, ("train", False): 80, ("dev", True): 20, ("test", True): 30}
    assert {row["audio"] for row in rows if row["audio"]} == {f"audio/{p.name}" for p in (corpus / "audio").iterdir()}
    for row in rows:
        assert said_by(tuple(row["recordings"].split())) == words(row["en"])
        assert all(
            row[language][-1] in ".?!" and row[language] == row[language].strip() for language in ("en", "fr", "es")
        )
        assert bool(row["audio"]) == bool(row["seconds"])
        if not row["audio"]:
            continue
        with wave.open(str(corpus / row["audio"])) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / 32768
        assert len(samples) / 8000 == pytest.approx(float(row["seconds"]), abs=1e-3)
        assert 1 <= float(row["seconds"]) <= 6
        assert np.abs(samples).max() < 0.99
        assert -35 < 20 * np.log10(np.sqrt((samples**2).mean())) < -15


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(corpus, tmp_path):
    sizes = [f"--{name}={getattr(SMALL, name)}" for name in ("train", "text", "dev", "test")]
    command = [sys.executable, str(PROMPTS / "compose.py"), *sizes, "--longest=3.0"]
    subprocess.run([*command, "--seed=0", f"--out={tmp_path / 'again'}"], check=True)
    assert contents(tmp_path / "again") == contents(corpus)
    compose.compose(tmp_path / "other", SMALL, longest_seconds=3.0, seed=1)
    ours, others = (
        {r["en"] for r in read_tsv(folder / "announcements.tsv")} for folder in (corpus, tmp_path / "other")
    )
    assert len(ours & others) < len(ours) * 0.75  # the whole prompts and the frequent short sentences are in both


def test_an_interrupted_run_leaves_no_output_and_the_next_one_succeeds(corpus, tmp_path, monkeypatch):
    out, calls = tmp_path / "corpus", []

    def fails_at_the_tenth(recordings: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
        calls.append(recordings)
        if len(calls) == 10:
            raise OSError("No space left on device")
        return join(recordings, rng)

    join = compose.join
    monkeypatch.setattr(compose, "join", fails_at_the_tenth)
    with pytest.raises(OSError, match="No space left"):
        compose.compose(out, SMALL, longest_seconds=3.0, seed=0)
    assert not out.exists()
    monkeypatch.setattr(compose, "join", join)
    compose.compose(out, SMALL, longest_seconds=3.0, seed=0)
    assert contents(out) == contents(corpus)


def test_an_existing_folder_is_refused(corpus):
    with pytest.raises(ComposeError, match="exists already; remove it"):
        compose.compose(corpus, SMALL, longest_seconds=3.0, seed=0)


def test_sizes_beyond_the_different_sentences_are_refused_by_kind(tmp_path):
    with pytest.raises(ComposeError, match=r"test needs \d+ of '\w+', of 1.0 to 3.0 s; only \d+ different"):
        compose.compose(tmp_path / "corpus", Sizes(train=10, text=0, dev=0, test=5000), longest_seconds=3.0, seed=0)
    assert not (tmp_path / "corpus").exists()
