"""Damage to the content of a file, drawn by hypothesis: bits turned, parts lost, added, doubled or made zero."""

import json

from hypothesis import strategies as st

ODD_VALUES = (None, True, -1, 0, 10**30, 1.5, "", "x", [], {}, [[]], {"a": {}})


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The content with a damage or two, never as it was."""
    result = bytearray(content)
    for _ in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from(["turn", "cut", "lose", "add", "double", "zero", "head"]))
        place = draw(st.integers(0, max(len(result) - 1, 0)))
        length = draw(st.integers(1, 40))
        if kind == "turn" and result:
            result[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "head" and result:
            result[min(place, 30)] = draw(st.integers(0, 255))
        elif kind == "cut":
            del result[place:]
        elif kind == "lose":
            del result[place : place + length]
        elif kind == "add":
            result[place:place] = draw(st.binary(min_size=1, max_size=40))
        elif kind == "double":
            result += bytes(result)
        elif kind == "zero":
            result[place : place + length] = bytes(len(result[place : place + length]))
    return bytes(result) if result != content else content[: len(content) // 2]


@st.composite
def damaged_json(draw: st.DrawFn, content: bytes) -> bytes:
    """A JSON file with one value of another type, or a key lost or added; or text that is no JSON of ours."""
    text = content.decode()
    if draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(odd_json(text)))
    value = json.loads(text)
    container, key = draw(st.sampled_from(_places(value)))
    if draw(st.booleans()):
        container[key] = draw(st.sampled_from(ODD_VALUES))
    elif isinstance(container, dict) and draw(st.booleans()):
        container[f"{key}x"] = container.pop(key)
    else:
        del container[key]
    return json.dumps(value).encode()


def odd_json(text: str) -> list[bytes]:
    """Texts that JSON readers differ on, or that break them."""
    return [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 5000,
        b"1e999",
        b"NaN",
        b"[]",
        b"null",
        text.encode("utf-16"),
        text.replace("{", '{"a": 1, "a": 2, ', 1).encode(),
        text.replace("{", '{"a": NaN, ', 1).encode(),
        text.replace("{", '{"a": -Infinity, ', 1).encode(),
        text.replace("{", '{"a": ' + "9" * 5000 + ", ", 1).encode(),
    ]


def _places(value: object) -> list[tuple]:
    """Every place in a JSON value that holds another, as its container and its key there."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in items for place in [(value, key), *_places(item)]]
