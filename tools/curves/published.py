"""Published scores: which there are for a task, and what they were measured on."""

from __future__ import annotations

import difflib
import functools
import json
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .runs import Run, RunError

PATH = pathlib.Path(__file__).resolve().parents[1] / "data" / "published.json"
METHOD = "dreamerv3"
BINS = 20


class Score(NamedTuple):
    """Mean return over seeds.

    Attributes:
        mean: over seeds.
        std: population standard deviation over seeds; `None` where it is not known.
        seeds: how many; `None` likewise.
    """

    mean: float
    std: float | None
    seeds: int | None


class Span(NamedTuple):
    """A range of environment frames.

    Attributes:
        low: its begin, not inside.
        high: its end, inside.
        name: `final`, `last tenth` or `bin`.
    """

    low: float
    high: float
    name: str


class Method(NamedTuple):
    """A published method on a task.

    Attributes:
        name: such as `dreamerv3`.
        budget: environment frames.
        seeds: how many it was run with.
        bins: scores in 20 equal parts of the budget; `None`: no episode ended there.
        final: score as in the paper's tables; `None` where it is not known.
        last_tenth: of the last tenth of the budget, without a deviation.
    """

    name: str
    budget: int
    seeds: int
    bins: tuple[Score | None, ...]
    final: Score | None
    last_tenth: Score | None

    @property
    def first(self) -> float:
        """End of the first bin that has a score."""
        there = [x for x, s in zip(self.edges[1:], self.bins, strict=True) if s]
        return float(there[0])

    @property
    def edges(self) -> np.ndarray:
        """Ends of the bins, `[21]`."""
        return np.linspace(0, self.budget, BINS + 1)


class Reference(NamedTuple):
    """What is published about a task.

    Attributes:
        suite: such as `dmc_proprio`.
        title: of the suite, for people.
        name: of the task, without the suite.
        budget: environment frames of the suite.
        window: the final score is over the last `1 / window` of the budget.
        scale: what normalised scores are called; `None`: raw scores are compared.
        bounds: scores that become 0 and 1; `None` likewise.
        conditions: settings that the published runs had, by name: texts, or `None` for
            one that may be absent.
        methods: by name.
    """

    suite: str
    title: str
    name: str
    budget: int
    window: int
    scale: str | None
    bounds: tuple[float, float] | None
    conditions: Mapping[str, tuple[str | None, ...]]
    methods: Mapping[str, Method]

    def span(self, frames: float, method: str) -> Span | None:
        """Where scores are compared of a run that has so many frames.

        From the budget on it is the window of the paper's tables; before, the last of
        the 20 published bins that the run has behind it. `None`: not one of them.
        """
        if frames >= self.budget:
            width = self.budget / self.window
            return Span(self.budget - width, self.budget, "final")
        known = self.methods[method]
        ends = [
            (low, high)
            for low, high, score in zip(
                known.edges, known.edges[1:], known.bins, strict=False
            )
            if score and high <= frames
        ]
        if not ends:
            return None
        low, high = ends[-1]
        return Span(float(low), float(high), "bin")

    def last_tenth(self) -> Span:
        """The last tenth of the budget, where short runs of bad luck even out."""
        return Span(0.9 * self.budget, self.budget, "last tenth")

    def score(self, span: Span, method: str) -> Score | None:
        """Published score there; `None` where none is known."""
        known = self.methods[method]
        if span.name == "final":
            return known.final
        if span.name == "last tenth":
            return known.last_tenth
        place = int(round(span.high / known.budget * BINS)) - 1
        return known.bins[place]

    def normalise(self, score: float) -> float:
        """The score on the suite's scale."""
        low, high = self.bounds or (0, 1)
        return (score - low) / (high - low)

    def objection(self, run: Run) -> str | None:
        """Why a run cannot be compared with these scores; `None`: it can."""
        for name, allowed in self.conditions.items():
            found = run.facts.get(name, run.settings.get(f"env.{name}"))
            if found not in allowed:
                text = " or ".join(str(value) for value in allowed if value)
                return f"{name} is {found or 'not known'}, published: {text}"
        return None


@functools.cache
def load(path: pathlib.Path = PATH) -> dict[str, Any]:
    """The file of published scores as it is."""
    return json.loads(path.read_text(encoding="utf-8"))


def references(suite: str) -> list[Reference]:
    """All tasks of a published suite."""
    section = load()["suites"][suite]
    names = section["methods"][METHOD]["tasks"]
    return [_reference(suite, name) for name in names]


def find(task: str) -> Reference:
    """What is published about one of our tasks; `atari_james_bond` is `jamesbond`.

    Raises:
        RunError: nothing; says which tasks are near.
    """
    for suite, section in load()["suites"].items():
        name = task.removeprefix(section["prefix"])
        known = section["methods"][METHOD]["tasks"]
        same = [other for other in known if _plain(other) == _plain(name)]
        if name != task and same:
            return _reference(suite, same[0])
    raise RunError(
        f"No published scores for the task '{task}'. Near: {', '.join(near(task))}."
    )


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def near(task: str) -> list[str]:
    """Tasks with published scores whose names are most like that of a task."""
    known = [
        section["prefix"] + name
        for section in load()["suites"].values()
        for name in section["methods"][METHOD]["tasks"]
    ]
    close = difflib.get_close_matches(task, known, n=4, cutoff=0.5)
    return close or [f"{x['prefix']}…" for x in load()["suites"].values()]


def _reference(suite: str, name: str) -> Reference:
    section = load()["suites"][suite]
    scale = load()["scales"].get(section["scale"])
    return Reference(
        suite=suite,
        title=section["title"],
        name=name,
        budget=section["budget"],
        window=section["window"],
        scale=scale["name"] if scale else None,
        bounds=tuple(scale["bounds"][name]) if scale else None,
        conditions={k: tuple(v) for k, v in section["conditions"].items()},
        methods={
            method: _method(method, content["budget"], content["tasks"][name])
            for method, content in section["methods"].items()
            if name in content["tasks"]
        },
    )


def _method(name: str, budget: int, values: Mapping[str, Any]) -> Method:
    seeds = values["seeds"]
    counts = values.get("n", [seeds] * BINS)
    rows = zip(values["mean"], values["std"], counts, strict=True)
    final, last = values["final"], values["last10"]
    return Method(
        name=name,
        budget=budget,
        seeds=seeds,
        bins=tuple(None if row[0] is None else Score(*row) for row in rows),
        final=Score(*final) if final else None,
        last_tenth=None if last is None else Score(last, None, None),
    )
