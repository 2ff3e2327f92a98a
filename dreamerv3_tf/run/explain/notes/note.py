"""What there is to say about a setting."""

from __future__ import annotations

from typing import NamedTuple

BOTH, NEW, OLD, OURS = (2023, 2025), (2025,), (2023,), (0,)
"""In which papers' tables of hyperparameters a value stands; or that it is our own."""


class Note(NamedTuple):
    """What there is to say about a setting.

    Attributes:
        does: what it does, in a sentence.
        enters: the equation it is part of, one of `equations.py`; empty for none.
        listed: years of the papers whose table of hyperparameters has it; `OURS` for
            what no paper has, empty for what only their texts or code tell.
    """

    does: str
    enters: str = ""
    listed: tuple[int, ...] = ()
