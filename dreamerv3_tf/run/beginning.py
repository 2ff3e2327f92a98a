"""Tells the person who watches when acting and learning have begun."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil


def since_start() -> float:
    """Seconds since this process was started."""
    return time.time() - psutil.Process().create_time()


class Beginning:
    """Says each thing once, with the time since the command.

    Between the command and the first line of the log lie imports, compilations and the
    first fill of the replay; whoever waits should see that it goes on.

    Args:
        mark: says something to the person who watches.
        now: seconds since the command.
    """

    def __init__(
        self, mark: Callable[[str], None], now: Callable[[], float] = since_start
    ):
        self._mark, self._now = mark, now
        self._said: set[str] = set()

    def __call__(self, what: str) -> bool:
        """Says `what` and when, if it was not said before; whether it was not."""
        new = what not in self._said
        if new:
            self._said.add(what)
            self._mark(f"{what} after {self._now():.0f} s")
        return new
