"""Runs commands, some of them at a time, in processes of their own.

A job that is done already is left out, one that fails does not stop the others, and
what was interrupted goes on by running the same commands again. On Ctrl-C (or SIGTERM)
no further job begins, and those that run are asked once to stop, as by a Ctrl-C of
their own; a second one asks again, which tells our program to leave at once; a third
one kills them. No job outlives this process.
"""

from __future__ import annotations

import ctypes
import dataclasses
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Literal

POLL = 0.1  # seconds between looks at the processes
GRACE = 20  # seconds to end after SIGTERM, where this process itself fails
PR_SET_PDEATHSIG = 1  # of Linux' prctl

State = Literal["done before", "done", "failed", "stopped", "not begun"]


@dataclasses.dataclass(frozen=True)
class Job:
    """A command.

    Attributes:
        name: for people, and unique.
        command: the program and its arguments.
        log: file that its output is appended to; its folder is made.
        done: whether there is nothing left to do. Asked before the job would begin,
            and when it has ended with status 0. Without, it runs whatever is there.
    """

    name: str
    command: tuple[str, ...]
    log: pathlib.Path
    done: Callable[[], bool] | None = None


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        name: of the job.
        state: `done before` did not have to run; `stopped` was interrupted, and
            `not begun` would have come later.
        status: exit status, negative for a signal; `None` where it did not run.
        seconds: that it ran.
        log: file of its output.
        reason: why it failed, in one line.
    """

    name: str
    state: State
    status: int | None
    seconds: float
    log: pathlib.Path
    reason: str = ""


class Running:
    """A job that runs.

    Args:
        job: the job.
    """

    def __init__(self, job: Job):
        self.job, self.since = job, time.monotonic()
        job.log.parent.mkdir(parents=True, exist_ok=True)
        self.output: IO[str] = job.log.open("a", encoding="utf-8")
        self.begin = self.output.tell()
        self.output.write(f"$ {shlex.join(job.command)}\n")
        self.output.flush()
        self.process = subprocess.Popen(
            job.command,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us only: we pass it on, once
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )

    def send(self, number: int) -> None:
        """Sends a signal; SIGKILL goes to all processes that the job has started."""
        if self.process.poll() is not None:
            return
        if number == signal.SIGKILL:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def outcome(self, stopping: bool) -> Outcome | None:
        """What became of it, `None` while it runs.

        Args:
            stopping: it was asked to stop.
        """
        status = self.process.poll()
        if status is None:
            return None
        self.output.close()
        seconds = time.monotonic() - self.since
        job, reason = self.job, ""
        done = status == 0 and (job.done is None or job.done())
        if done:
            state: State = "done"
        elif stopping:
            state = "stopped"
        else:
            state = "failed"
            early = " before it was done" if status == 0 else ""
            reason = f"status {status}{early}: {last_line(job.log, self.begin)}"
        return Outcome(job.name, state, status, seconds, job.log, reason)


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """In the new process: get SIGTERM when the one that began it is gone."""
    assert _LIBC is not None, "for Linux only"
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def last_line(path: pathlib.Path, begin: int = 0) -> str:
    """The last line of a file that is not empty, such as the error of a program.

    Args:
        path: the file.
        begin: position in it, in bytes, from where on it counts.
    """
    with path.open("rb") as file:
        file.seek(begin)
        lines = file.read().decode(errors="replace").splitlines()
    text = [line.strip() for line in lines if line.strip()]
    return text[-1] if text[1:] else "it said nothing"  # the first is the command


class Stop:
    """Counts how often this process was told to stop."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, number: int, frame: object) -> None:
        del number, frame
        self.asked += 1


@contextmanager
def stopping() -> Iterator[Stop]:
    """Counts SIGINT and SIGTERM instead of what they would do."""
    stop, numbers = Stop(), (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_jobs(
    jobs: Sequence[Job],
    *,
    parallel: int = 1,
    notice: Callable[[str], None] = print,
) -> list[Outcome]:
    """Runs all jobs that are not done. Only for the main thread, which gets signals.

    Args:
        jobs: in the order in which they begin.
        parallel: how many at a time.
        notice: told what begins and what ends, a line each.

    Returns:
        An outcome for each job, in their order.
    """
    names = [job.name for job in jobs]
    assert len(set(names)) == len(names), f"two jobs have one name: {names}"
    found: dict[str, Outcome] = {}
    running: list[Running] = []
    with stopping() as stop:
        try:
            waiting = [job for job in jobs if not _done_before(job, found)]
            _work(waiting, running, found, parallel, stop, notice)
        finally:
            _end(running)
    rest = (job for job in jobs if job.name not in found)
    found |= {
        job.name: Outcome(job.name, "not begun", None, 0, job.log) for job in rest
    }
    return [found[name] for name in names]


def _done_before(job: Job, found: dict[str, Outcome]) -> bool:
    if job.done is None or not job.done():
        return False
    found[job.name] = Outcome(job.name, "done before", None, 0, job.log)
    return True


def _work(
    waiting: list[Job],
    running: list[Running],
    found: dict[str, Outcome],
    parallel: int,
    stop: Stop,
    notice: Callable[[str], None],
) -> None:
    """Begins and watches jobs until none is left, or until told to stop."""
    total, passed_on = len(waiting), 0
    while running or (waiting and not stop.asked):
        while waiting and len(running) < parallel and not stop.asked:
            job = waiting.pop(0)
            running.append(Running(job))
            notice(f"[{total - len(waiting)}/{total}] {job.name}: begins, {job.log}")
        if stop.asked > passed_on:
            passed_on = stop.asked
            notice(_pass_on(running, passed_on))
        for one in list(running):
            outcome = one.outcome(stopping=stop.asked > 0)
            if outcome:
                running.remove(one)
                found[outcome.name] = outcome
                notice(describe(outcome))
        time.sleep(POLL if running else 0)


def _pass_on(running: Sequence[Running], asked: int) -> str:
    """Tells the jobs to stop; returns what is said about it."""
    number = signal.SIGINT if asked < 3 else signal.SIGKILL
    for one in running:
        one.send(number)
    names = ", ".join(one.job.name for one in running) or "nothing"
    how = ("after saving", "at once", "by force")[min(asked, 3) - 1]
    return f"Stopping {names} {how}. The same command goes on from here."


def _end(running: Sequence[Running]) -> None:
    """Ends what still runs where an error broke the loop off."""
    for one in running:
        one.send(signal.SIGTERM)
    for one in running:
        try:
            one.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            one.send(signal.SIGKILL)
            one.process.wait()
        one.output.close()


def describe(outcome: Outcome) -> str:
    """An outcome in one line."""
    time_taken = f" after {outcome.seconds:,.0f} s" if outcome.seconds else ""
    reason = f": {outcome.reason} (all of it: {outcome.log})" if outcome.reason else ""
    return f"{outcome.name}: {outcome.state}{time_taken}{reason}"
