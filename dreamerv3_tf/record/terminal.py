"""The run on the terminal: a live panel, or plain lines where there is no terminal."""

from __future__ import annotations

import collections
import math
import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.live import Live
from rich.text import Text

from dreamerv3_tf.record.jsonlines import SCORE
from dreamerv3_tf.record.logger import Kind, Point
from dreamerv3_tf.record.panel import SPARK, RunPanel, View, line

MEMORY = 60.0  # seconds over which speeds are measured


class Terminal:
    """Shows how a run stands.

    On a terminal a panel is redrawn twice a second by a thread of its own, which asks
    `step` and `train_steps` how far the run is; the loop need not care. What is printed
    meanwhile, and every `notice`, appears above the panel. Elsewhere (a file, a pipe,
    `TERM=dumb`) each write of the log prints one line without escape codes.

        terminal = Terminal(lambda: frames, lambda: updates, total=50_000, title=task)
        logger = Logger([terminal, ...], lambda: frames)

    Args:
        step: environment steps so far, after action repeat.
        train_steps: train steps so far.
        total: environment steps of the whole run; `None` where it has no end.
        title: the task and what else tells runs apart.
        console: where to show it; by default the standard output.
        now: source of the time, seconds.
    """

    def __init__(
        self,
        step: Callable[[], int],
        train_steps: Callable[[], int],
        total: int | None = None,
        title: str = "",
        console: Console | None = None,
        now: Callable[[], float] = time.monotonic,
    ):
        self._step = step
        self._train_steps = train_steps
        self._total = total
        self._title = title
        self._console = console or Console(highlight=False)
        self._now = now
        self._start = now()
        self._phase = ""
        # The drawing thread reads these; they are replaced, never changed in place.
        self._metrics: dict[str, float] = {}
        self._scores: tuple[float, ...] = ()
        self._episodes = 0
        self._progress = collections.deque([(self._start, step(), train_steps())])
        self._live: Live | None = None
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(
                get_renderable=lambda: RunPanel(self.view()),
                console=self._console,
                refresh_per_second=2,
                vertical_overflow="visible",
            )
            self._live.start(refresh=True)

    def write(self, points: Sequence[Point]) -> None:
        """Takes the scalars of a write; prints a line where there is no terminal."""
        scalars = [point for point in points if point.kind is Kind.SCALAR]
        scores = [point.value for point in scalars if point.name == SCORE]
        self._scores = (*self._scores, *scores)[-SPARK:]
        self._episodes += len(scores)
        self._metrics = self._metrics | {p.name: p.value for p in scalars}
        if not self._live:
            self._print_plain(line(self.view()))

    def phase(self, text: str) -> None:
        """Says what the run is doing, e.g. `compiling`; an empty text says nothing."""
        self._phase = text

    def notice(self, text: str) -> None:
        """Prints a message above the panel, or as a line of its own."""
        if self._live:
            self._console.print(Text(text), soft_wrap=True)
        else:
            self._print_plain(text)

    def mark(self, text: str) -> None:
        """Prints how the run stands at a moment that is worth it, and why it is."""
        if self._live:
            self.notice(text)
        else:
            self._print_plain(f"{line(self.view())} | {text}")

    def close(self) -> None:
        """Leaves the last panel on the screen and gives the terminal back."""
        if self._live:
            self._live.stop()

    def view(self) -> View:
        """What there is to see now."""
        now, step, train_steps = self._now(), self._step(), self._train_steps()
        env_speed, train_speed = self._speeds(now, step, train_steps)
        return View(
            title=self._title,
            phase=self._phase,
            step=step,
            total=self._total,
            train_steps=train_steps,
            env_speed=env_speed,
            train_speed=train_speed,
            elapsed=now - self._start,
            scores=self._scores,
            episodes=self._episodes,
            metrics=self._metrics,
        )

    def _speeds(self, now: float, step: int, train_steps: int) -> tuple[float, float]:
        """Speeds since about a minute ago, or since the view before where that is more.

        Only whoever draws calls this: the thread of the panel, or `write` without one.
        """
        seen = self._progress
        seen.append((now, step, train_steps))
        while len(seen) > 2 and seen[1][0] <= now - MEMORY:
            seen.popleft()
        then, old_step, old_train_steps = seen[0]
        if now <= then:
            return math.nan, math.nan
        span = now - then
        return (step - old_step) / span, (train_steps - old_train_steps) / span

    def _print_plain(self, text: str) -> None:
        file = self._console.file
        encoding = getattr(file, "encoding", None) or "utf-8"
        file.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        file.flush()
