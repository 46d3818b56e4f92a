"""Names of classes and functions that a pickle would import, told without running it.

A pickle is a program for a machine with a stack and a memo. It is followed here with all values unknown but strings,
which are what names are made of; a name that is made in any other way cannot be told, and is refused.
"""

import _compat_pickle
import pickletools
from typing import IO

UNKNOWN, MARK = object(), object()  # on the stack, beside strings
TEXT_OPCODES = ("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8")
EXTENSION_OPCODES = ("EXT1", "EXT2", "EXT4")  # names by number, in a table that other code fills


class UntoldNameError(ValueError):
    """A pickle makes the name of what it would import while it runs."""


def imported_names(file: IO[bytes]) -> set[str]:
    """Names that the next pickle of a file would import, in the form of `full_name`; the file is behind it then.

    Raises:
        UntoldNameError: there are names that only running it would tell.
        ValueError: there is no whole pickle.
    """
    followed = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(file):
            followed.step(opcode, argument)
    except (IndexError, KeyError, OverflowError, MemoryError) as error:  # nothing on the stack, or lengths out of range
        raise ValueError(f"not a whole pickle: {type(error).__name__}") from error
    return followed.names


def full_name(module: str, name: str) -> str:
    """A name with its module, and what old pickles mean by it."""
    given = f"{module}.{name}"
    meant = _compat_pickle.NAME_MAPPING.get((module, name)) or (_compat_pickle.IMPORT_MAPPING.get(module, module), name)
    return given if meant == (module, name) else f"{given} ({'.'.join(meant)})"


class _Machine:
    def __init__(self) -> None:
        self.names: set[str] = set()
        self._stack: list[object] = []
        self._memo: dict[int, object] = {}

    def step(self, opcode: pickletools.OpcodeInfo, argument: object) -> None:
        name = opcode.name
        if name in EXTENSION_OPCODES:
            raise UntoldNameError(f"it imports by a number ({name}), and what that is only other code knows")
        if name in ("GLOBAL", "INST"):
            module, _, of_module = str(argument).partition(" ")
            self.names.add(full_name(module, of_module))
        if name == "STACK_GLOBAL":
            self.names.add(self._name_on_stack())
        if name == "MEMOIZE":
            self._memo[len(self._memo)] = self._stack[-1]
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[_number(argument)] = self._stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[_number(argument)])
        elif name == "MARK":
            self._stack.append(MARK)
        elif name == "DUP":
            self._stack.append(self._stack[-1])
        elif name in TEXT_OPCODES:
            self._stack.append(argument)
        else:
            self._take(opcode.stack_before)
            self._stack += [UNKNOWN] * len(opcode.stack_after)

    def _name_on_stack(self) -> str:
        module, name = self._stack[-2:]
        if not isinstance(module, str) or not isinstance(name, str):
            raise UntoldNameError("it makes a name of what it imports while it runs")
        return full_name(module, name)

    def _take(self, values: list[pickletools.StackObject]) -> None:
        number = len(values)
        if pickletools.markobject in values:
            while self._stack.pop() is not MARK:
                pass
            number = values.index(pickletools.markobject)
        for _ in range(number):
            self._stack.pop()


def _number(argument: object) -> int:
    if not isinstance(argument, int):
        raise ValueError(f"expected a number, found {argument!r}")
    return argument
