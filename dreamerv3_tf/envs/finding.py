"""What a check found, and how it is shown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import NamedTuple

WIDTH = 96
INDENT = " " * 11


class Finding(NamedTuple):
    """Something that was looked at, and whether it is as it should be.

    Attributes:
        name: of what was looked at.
        ok: whether all is well with it.
        found: what was found, in plain words.
        advice: what to do where it is not.
        needed: whether nothing works without it; else it is only worth knowing.
    """

    name: str
    ok: bool
    found: str
    advice: str = ""
    needed: bool = True

    @property
    def problem(self) -> bool:
        """Whether something has to change."""
        return self.needed and not self.ok


def to_lines(findings: Iterable[Finding], word: str = "PROBLEM") -> list[str]:
    """A line for each finding, and what to do where something is not well.

    Args:
        findings: what was found.
        word: what stands before those that are problems.
    """
    lines = []
    for finding in findings:
        mark = "ok" if finding.ok else word if finding.needed else "note"
        lines += wrapped(f"  {mark:<8} {finding.name}: {finding.found}", "")
        if not finding.ok and finding.advice:
            lines += wrapped(finding.advice, INDENT)
    return lines


def wrapped(text: str, first: str) -> list[str]:
    """A text in lines of one screen, indented from the second line on."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
