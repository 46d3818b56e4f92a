"""Random damage to the files of an output: bits flipped, files cut, bytes put in, files swapped, JSON edited."""

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

VALUES = [None, True, 0, 1, 2, -1, 10**30, 0.5, 1e308, "", "x", "../x", "\0", [], ["x"], {}, {"x": 1}]
TRIED: Counter[tuple[str, str]] = Counter()  # by output and outcome


def bounded(examples: int) -> settings:
    """The same examples at each run, with fixtures that are shared by all of them."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=checks,
    )


@dataclass(frozen=True)
class Damage:
    """What comes in place of one or two files; in words for a test that fails."""

    contents: Mapping[str, bytes]
    words: str

    @contextlib.contextmanager
    def done_to(self, folder: Path) -> Iterator[None]:
        """Damage the files in a folder while the block lasts."""
        before = {name: (folder / name).read_bytes() for name in self.contents}
        try:
            for name, content in self.contents.items():
                (folder / name).write_bytes(content)
            yield
        finally:
            for name, content in before.items():
                (folder / name).write_bytes(content)


@st.composite
def damages(draw: Callable[[Any], Any], files: Mapping[str, bytes]) -> Damage:
    """Damage to a folder of these files, by name."""
    name = draw(st.sampled_from(sorted(files)))
    content = files[name]
    position = draw(st.integers(0, max(len(content) - 1, 0)))
    others = sorted(other for other in files if files[other] != content)
    kinds = ["insert", *["swap"] * bool(others), *["cut", "flip"] * bool(content), *["edit"] * name.endswith(".json")]
    kind = draw(st.sampled_from(kinds))
    if kind == "swap":
        other = draw(st.sampled_from(others))
        return Damage({name: files[other], other: content}, f"{name} and {other} swapped")
    if kind == "cut":
        made = content[:position]
    elif kind == "insert":
        made = content[:position] + draw(st.binary(min_size=1, max_size=8)) + content[position:]
    elif kind == "flip":
        made = content[:position] + bytes([content[position] ^ 1 << draw(st.integers(0, 7))]) + content[position + 1 :]
    else:
        made = draw(_edited(json.loads(content)))
    return Damage({name: made}, f"{name}: {kind} at {position}")


@st.composite
def _edited(draw: Callable[[Any], Any], content: Any) -> bytes:
    """JSON with another value somewhere, an entry more or one less."""
    place = content
    while True:
        keys = sorted(place) if isinstance(place, dict) else [*range(len(place))]
        key = draw(st.sampled_from([*keys, "new"] if isinstance(place, dict) else keys))
        inner = place.get(key) if isinstance(place, dict) else place[key]
        if not (isinstance(inner, dict | list) and inner and draw(st.booleans())):
            break
        place = inner
    if isinstance(place, dict) and key in place and draw(st.integers(0, 3)) == 0:
        del place[key]
    else:
        place[key] = draw(st.sampled_from(VALUES))
    return json.dumps(content).encode()


def content_of(folder: Path, pattern: str = "*") -> dict[str, bytes]:
    """Files of a folder by name."""
    paths = sorted(path for path in folder.rglob(pattern) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def try_damage(
    output: str, damage: Damage, folder: Path, use: Callable[[], object], expected: object, refusals: type[Exception]
) -> None:
    """Damage a folder and use it: it is refused in one line, or gives what it gave before."""
    with damage.done_to(folder):
        try:
            found = use()
        except refusals as error:
            assert str(error).count("\n") == 0, (damage.words, str(error))
            TRIED[output, "refused"] += 1
        else:
            assert found == expected, damage.words
            TRIED[output, "same"] += 1
