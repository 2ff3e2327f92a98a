"""Recorded arrays, and which of them were looked at."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

import numpy as np

LEFT_OUT = {
    r"(^|/)stepid$": "addresses in the reference's replay",
    r"(^|/)min_logit_gap$": "says how safe the recording is, not what to compute",
    r"carry_out/prevact/": "not carried here: replay context brings it along",
    r"^prevact/": "not carried here: replay context brings it along",
    r"(carry_out|latent|initial)/logit$|^logit$": "not carried: nothing reads it",
    r"critic/updates/value$": "says from where to count",
    r"metric/": "not logged here",
    r"(^|/)slowval_count/value": "not needed here: follows from the updates",
    r"^step\d+/obs/(is_last|is_terminal|reward)$": "acting does not look at it",
    r"(^|/)pol/head/.+/mean/(kernel|bias)$": "rounding noise without action noise",
    r"^batch\d+.*/(dyn/deter|dyn/stoch|consec)$": "used as input",
    r"^embed_style": "initialised by its outputs, which nothing here is",
    r"^replay/val$|^imag/val$": "the reference's function takes it without using it",
}
"""Why an array is not compared, by a pattern of its name."""


class MissingArray(KeyError):
    """A file lacks an array that every recording has."""

    def __str__(self) -> str:
        return str(self.args[0])


class Recording:
    """The arrays of one `.npz` file; `data[name]` notes that `name` was read.

    Args:
        path: the file.
        prefix: part of the names that is left out in this view.
    """

    def __init__(self, path: pathlib.Path, prefix: str = "", whole=None):
        self.path, self.prefix = path, prefix
        if whole is None:
            with np.load(path) as data:
                self.arrays: dict[str, np.ndarray] = dict(data)
            self.read: set[str] = set()
        else:
            self.arrays, self.read = whole.arrays, whole.read

    def part(self, prefix: str) -> Recording:
        """The arrays whose names begin with `prefix/`, which is left out of them."""
        return Recording(self.path, f"{self.prefix}{prefix}/", self)

    def __getitem__(self, name: str) -> np.ndarray:
        name = self.prefix + name
        if name not in self.arrays:
            raise MissingArray(f"{self.path.name} has no array '{name}'")
        self.read.add(name)
        return self.arrays[name]

    def __contains__(self, name: str) -> bool:
        return self.prefix + name in self.arrays

    def __iter__(self) -> Iterator[str]:
        start = len(self.prefix)
        return (name[start:] for name in self.arrays if name.startswith(self.prefix))

    def names(self, pattern: str) -> list[str]:
        """Names that the pattern matches from their beginning on, in file order."""
        return [name for name in self if re.match(pattern, name)]

    def unread(self) -> list[str]:
        """One line for each kind of array that nothing looked at, with the reason."""
        kinds: dict[tuple[str, str], int] = {}
        for name in self.arrays:
            if name in self.read:
                continue
            known = (why for key, why in LEFT_OUT.items() if re.search(key, name))
            kind = re.sub(r"^step\d+", "step*", name)
            kind = re.sub(r"^(.{40}).+(.{15})$", r"\1…\2", kind)
            reason = next(known, "nothing here to compare it with")
            kinds[kind, reason] = kinds.get((kind, reason), 0) + 1
        groups: dict[str, list[str]] = {}
        for (kind, reason), _ in kinds.items():
            groups.setdefault(reason, []).append(kind)
        lines = []
        for reason, names in groups.items():
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
            lines.append(f"{', '.join(names[:4])}{more}: {reason}")
        return lines
