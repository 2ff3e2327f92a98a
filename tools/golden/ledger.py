"""Collects deviations, and says what they amount to."""

from __future__ import annotations

import contextlib
import pathlib
import traceback
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .recording import Recording

# As `|a − b| / (1 + |b|)`, after the README of the goldens.
COMPONENT = 1e-5  # single components
IMAGINED = 1e-4  # what lies behind imagined steps
GRADIENT = 1e-4  # of the largest entry of the same tensor
PIXELS = 3e-5  # sums over all pixels of a batch, which XLA itself rounds by 1.3e-5
STRAYS = 5  # elements a tensor whose sign of gradient is rounding noise

FAILURES = (ValueError, KeyError, IndexError, TypeError, AttributeError)
FAILURES += (tf.errors.OpError,)


class Row(NamedTuple):
    """One check: where, what, how far off, how far it may be."""

    place: str
    name: str
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        return bool(self.error <= self.tolerance)

    @property
    def ratio(self) -> float:
        """Deviation in units of what is allowed."""
        return self.error / self.tolerance if self.tolerance else self.error * 1e30


class Book(NamedTuple):
    """What all views of a ledger share."""

    rows: list[Row]
    notes: list[str]
    files: dict[pathlib.Path, Recording]
    traces: list[str]


class Ledger:
    """Deviations by place; `at` gives a view that writes into the same book."""

    def __init__(self, book: Book | None = None, place: str = ""):
        self.book = book or Book([], [], {}, [])
        self.place = place

    def at(self, name: str) -> Ledger:
        """The same ledger, one level deeper."""
        place = f"{self.place}/{name}" if self.place not in ("", ".") else name
        return Ledger(self.book, place)

    def load(self, path: pathlib.Path) -> Recording:
        """The arrays of a file; what stays unread is listed in the end."""
        files = self.book.files
        if path not in files:
            files[path] = Recording(path)
        return files[path]

    def skip(self, name: str, reason: str) -> None:
        """Notes what was not checked, and why."""
        place = f"{self.place}: " if self.place not in ("", ".") else ""
        self.book.notes.append(f"{place}{name}: {reason}")

    def fail(self, name: str) -> None:
        """A check that could not be made, in one line."""
        name = " ".join(name.split())
        self.book.rows.append(Row(self.place, name, np.inf, 0.0))

    @contextlib.contextmanager
    def guard(self):
        """What goes wrong inside is a failed check, and the next check goes on."""
        try:
            yield
        except FAILURES as error:
            self.book.traces.append(traceback.format_exc())
            text = str(error).split("\n")[0] or type(error).__name__
            self.fail(f"could not be checked: {text[:300]}")

    def close(self, name: str, got, want, tolerance: float = COMPONENT) -> None:
        """Largest `|got − want| / (1 + |want|)`."""
        got, want = _pair(got, want)
        gap = _gap(got, want)
        if gap.shape == want.shape:
            gap = gap / (1 + np.abs(np.where(np.isfinite(want), want, 0.0)))
        self._add(name, _worst(gap), tolerance, got, want)

    def relative(self, name: str, got, want, tolerance: float = GRADIENT) -> None:
        """Largest `|got − want|` in units of the largest `|want|` of the tensor."""
        got, want = _pair(got, want)
        scale = _worst(np.abs(want)) or 1.0
        self._add(name, _worst(_gap(got, want)) / scale, tolerance, got, want)

    def mostly(self, name: str, got, want, tolerance: float, stray: float = np.inf):
        """Like `close`, but a few elements may be off by up to `stray`."""
        got, want = _pair(got, want)
        gaps = _gap(got, want)
        gaps = gaps / (1 + np.abs(want)) if gaps.shape == want.shape else gaps
        gaps = np.sort(gaps.reshape(-1))
        count = min(STRAYS, gaps.size // 4)
        error = _worst(gaps[: gaps.size - count])
        if gaps.size and not gaps[-1] <= max(stray, tolerance):
            error = np.inf
        self._add(name, error, tolerance, got, want)

    def share(self, name: str, got, want, tolerance: float = 1e-3) -> None:
        """Share of the elements that differ; whole numbers that differ by more than one
        count in full."""
        got, want = _pair(got, want)
        gaps = _gap(got, want)
        error = float(np.mean(gaps > 0)) if _worst(gaps) <= 1 else np.inf
        self._add(name, error, tolerance, got, want)

    def _add(self, name, error, tolerance, got, want):
        broken = got.shape != want.shape or np.isnan(error)
        if got.shape != want.shape:
            name = f"{name} has shape {got.shape}, expected {want.shape}"
        error = np.inf if broken else float(error)
        self.book.rows.append(Row(self.place, name, error, tolerance))

    def table(self, verbose: bool = False) -> str:
        """Largest deviation in each place, or every check."""
        all_rows, lines = self.book.rows, []
        lines.append(f"{'where':<34}{'checks':>7}{'worst':>11}{'allowed':>10}  of")
        for place in dict.fromkeys(row.place for row in all_rows):
            rows = [row for row in all_rows if row.place == place]
            worst = max(rows, key=lambda row: row.ratio)
            shown = rows if verbose else [r for r in rows if r is worst or not r.passed]
            for row in shown:
                count = str(len(rows)) if row is worst else ""
                mark = "" if row.passed else "  FAILED"
                lines.append(
                    f"{place:<34}{count:>7}{row.error:>11.1e}{row.tolerance:>10.0e}"
                    f"  {row.name}{mark}"
                )
        return "\n".join([*lines, *self._remarks(), *(self.book.traces * verbose)])

    def _remarks(self) -> list[str]:
        """What was not checked."""
        lines = list(self.book.notes)
        for path, data in self.book.files.items():
            lines += [f"{path.parent.name}/{path.name}: {x}" for x in data.unread()]
        return [f"not checked: {line}" for line in lines]

    def summary(self) -> str:
        """One line for the end."""
        rows = self.book.rows
        if not rows:
            return "Nothing to check here: no golden files."
        failed = sum(not row.passed for row in rows)
        worst = max(rows, key=lambda row: row.ratio)
        verdict = "FAILED" if failed else "passed"
        return (
            f"{verdict}: {len(rows) - failed} of {len(rows)} checks within tolerance; "
            f"closest to its limit: {worst.place} {worst.name} "
            f"({worst.error:.1e} of {worst.tolerance:.0e})"
        )

    def status(self) -> int:
        """Exit status: 0 all passed, 1 a tolerance exceeded, 2 nothing checked."""
        if not self.book.rows:
            return 2
        return int(any(not row.passed for row in self.book.rows))


def _pair(got, want):
    return np.asarray(got, np.float64), np.asarray(want, np.float64)


def _gap(got, want):
    """`|got − want|`, NaN where either is NaN; infinite where shapes differ."""
    if got.shape != want.shape:
        return np.array([np.inf])
    same = got == want  # equal infinities do not differ
    return np.where(same, 0.0, np.abs(np.where(same, 0, got) - np.where(same, 0, want)))


def _worst(x) -> float:
    return float(np.max(x)) if np.size(x) else 0.0
