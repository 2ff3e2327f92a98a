"""Values of settings: their types and ranges, and the error for a bad one.

Everything arrives as text, from YAML or the command line, and becomes what the type
of its field says. So `4e-5`, `1e6` and `off`, which PyYAML reads as two strings and a
boolean, mean what they look like.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import sys
import typing
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import yaml


class ConfigError(Exception):
    """Bad input from a person: where, what, what was expected, what to do. One line."""


@dataclasses.dataclass(frozen=True)
class Range:
    """Bounds of a number, both inclusive.

    Attributes:
        low: smallest value.
        high: largest value; `math.inf` lets an infinite value pass.
        odd: only odd integers.
    """

    low: float = -sys.float_info.max
    high: float = sys.float_info.max
    odd: bool = False

    def holds(self, value: float) -> bool:
        """Whether `value` lies inside; NaN never does."""
        return self.low <= value <= self.high and not (self.odd and value % 2 == 0)

    def __str__(self) -> str:
        huge = sys.float_info.max
        if self.high < huge:
            return f" from {self.low:g} to {self.high:g}"
        smallest = "above 0" if self.low == TINY else f"of at least {self.low:g}"
        return f" {smallest}" if self.low > -huge else ""


TINY = sys.float_info.min
"""Smallest positive number: the lower bound of what must be above zero."""

BYTES = "bytes"
"""Marks an integer that may be written with a unit, such as `20GB`."""

Count = Annotated[int, Range(1)]
Natural = Annotated[int, Range(0)]
Bins = Annotated[int, Range(3, odd=True)]
Number = Annotated[float, Range()]
Positive = Annotated[float, Range(TINY)]
NonNegative = Annotated[float, Range(0)]
Fraction = Annotated[float, Range(0, 1)]
Percent = Annotated[float, Range(0, 100)]
Unbounded = Annotated[float, Range(0, math.inf)]
Bytes = Annotated[int, Range(0), BYTES]

COLONS = ("own_", "gym_", "given_")
"""Suites in whose names a colon stands between a module and what is in it."""

UNITS = {"": 1, "B": 1}
UNITS |= {f"{letter}B": 1000 ** (i + 1) for i, letter in enumerate("KMGT")}
UNITS |= {f"{letter}IB": 1024 ** (i + 1) for i, letter in enumerate("KMGT")}


class Quoted(str):
    """A string that stood in quotes, so it stays a string."""


class Loader(yaml.BaseLoader):
    """Reads every scalar as text and refuses a key that is given twice."""

    def construct_scalar(self, node):
        text = super().construct_scalar(node)
        return Quoted(text) if node.style in ("'", '"') else text

    def construct_mapping(self, node, deep=False):  # noqa: ARG002, PyYAML's signature
        tree = {}
        for key_node, value_node in node.value:
            key = str(self.construct_object(key_node, deep=True))
            if key in tree:
                raise yaml.MarkedYAMLError(
                    problem=f"key '{key}' is given twice", problem_mark=node.start_mark
                )
            tree[key] = self.construct_object(value_node, deep=True)
        return tree

    def construct_yaml_map(self, node):
        return self.construct_mapping(node)


Loader.add_constructor("tag:yaml.org,2002:map", Loader.construct_yaml_map)


def parse(text: str, source: str) -> Any:
    """Nested dicts, lists and strings of a YAML text; no text is an empty string.

    Raises:
        ConfigError: the text is not YAML; `source` is named with line and column.
    """
    try:
        tree = yaml.load(text, Loader)  # noqa: S506, a BaseLoader builds strings only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise ConfigError(f"{source}:{place} is not YAML: {problem}.") from error
    return "" if tree is None else tree


def coerce(value: Any, hint: Any, where: str) -> Any:
    """`value` as the type `hint` says.

    Args:
        value: text, list or dict of `parse`, or the Python value itself.
        hint: `bool`, `int`, `float`, `str`, `Any`, a `Literal`, a `tuple[T, ...]`, or
            one of these as `Annotated` with ranges.
        where: file and key, the beginning of the message.

    Raises:
        ConfigError: the value is of another type or out of range.
    """
    try:
        result = convert(value, hint)
    except (ValueError, OverflowError) as error:
        shown = str(value) if isinstance(value, str) else value
        raise ConfigError(
            f"{where} is {shown!r}, expected {describe(hint)}."
        ) from error
    return result


def convert(value: Any, hint: Any) -> Any:
    """As `coerce`, with a `ValueError` without a message."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        inner, *marks = args
        value = sized(value) if BYTES in marks else value
        result = convert(value, inner)
        if not all(mark.holds(result) for mark in marks if mark != BYTES):
            raise ValueError
        return result
    if origin is Literal:
        return chosen(value, args)
    if origin is tuple:
        return tuple(convert(item, args[0]) for item in listed(value))
    return CONVERTERS[hint](value)


def chosen(value: Any, choices: tuple) -> Any:
    """The choice that `value` names."""
    for choice in choices:
        if str(value) == str(choice):
            return choice
    raise ValueError


def listed(value: Any) -> list:
    """Items of a list, or of the text `2,3,4`."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    raise ValueError


def sized(value: Any) -> Any:
    """Bytes of a text such as `20GB` (decimal) or `16GiB` (binary)."""
    match = re.fullmatch(r"([\d_.e+]+)\s*([a-z]*)", str(value).strip(), re.IGNORECASE)
    if not match or match[2].upper() not in UNITS:
        raise ValueError
    return round(float(match[1]) * UNITS[match[2].upper()])


def to_bool(value: Any) -> bool:
    """`true` or `false` in any case, nothing else."""
    text = str(value).lower()
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def to_int(value: Any) -> int:
    """`7`, `5_000_000`, `1e6`; not `1.5` and not a boolean."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError
    try:
        return int(value) if not isinstance(value, float) else exact(value)
    except ValueError:
        return exact(float(value))


def exact(value: float) -> int:
    """The integer that `value` is."""
    if not value.is_integer():
        raise ValueError
    return int(value)


def to_float(value: Any) -> float:
    """`4e-5`, `.inf` (as YAML has it), `inf`; never NaN and not a boolean."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError
    result = float(value.replace(".inf", "inf") if isinstance(value, str) else value)
    if math.isnan(result):
        raise ValueError
    return result


def to_str(value: Any) -> str:
    """Text as it is."""
    if not isinstance(value, str):
        raise ValueError
    return str(value)


def to_any(value: Any) -> Any:
    """What the text looks like: true, false, null, a number, else a string."""
    if isinstance(value, dict):
        return {key: to_any(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(to_any(item) for item in value)
    if not isinstance(value, str) or isinstance(value, Quoted):
        return str(value) if isinstance(value, Quoted) else value
    words = {"true": True, "false": False, "null": None}
    if value.lower() in words:
        return words[value.lower()]
    if re.fullmatch(r"[-+]?(\d[\d_]*\.?\d*|\.\d+)(e[-+]?\d+)?", value, re.IGNORECASE):
        return int(value) if re.fullmatch(r"[-+]?[\d_]+", value) else float(value)
    return value


CONVERTERS = {bool: to_bool, int: to_int, float: to_float, str: to_str, Any: to_any}


def describe(hint: Any) -> str:
    """The type in words, as in "expected an integer of at least 1"."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        if BYTES in args[1:]:
            return "a number of bytes such as 20GB"
        odd = any(mark.odd for mark in args[1:])
        ranges = "".join(str(mark) for mark in args[1:])
        return describe(args[0]).replace("an ", "an odd " if odd else "an ") + ranges
    if origin is Literal:
        return "one of " + ", ".join(map(str, args))
    if origin is tuple:
        return f"a list, each entry {describe(args[0])}"
    names = {bool: "true or false", int: "an integer", float: "a number", str: "text"}
    return names.get(hint, "a value")


def with_suite(task: str) -> str:
    """The task with its suite in front, also where that is left out.

    `my_module:make_env` is short for `own_my_module:make_env`. Names of the suites in
    `COLONS` have a colon of their own.
    """
    return f"own_{task}" if ":" in task and not task.startswith(COLONS) else task


def nearest(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'steps'?`, or nothing where no known name is like `name`."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


def to_text(value: Any) -> str:
    """A value in YAML that `parse` and `coerce` turn into the same value.

    Floats carry a point, so that other readers of YAML see numbers too.
    """
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(to_text(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{key}: {to_text(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, str):
        plain = re.fullmatch(r"[A-Za-z][\w./-]*", value) and to_any(value) == value
        return value if plain else "'" + value.replace("'", "''") + "'"
    return str(value)


def float_text(value: float) -> str:
    """`4.0e-05` for `4e-05`, `.inf` for infinity, `10000000000.0` as it is."""
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text
