"""Trains on many configurations of BSuite, and computes the suite's scores.

    python tools/bsuite_sweep.py WHAT [WHAT …] --out DIR [--jobs N] [--preset a,b]
        [--seed N] [section.key=value …]

WHAT is `all` (468 configurations), `testing` (one of each of 13 experiments), a
category (`memory`), an experiment (`catch`) or a configuration (`catch/0`). The same
command goes on where it was stopped: runs that have finished stay, the others go on
from their last checkpoint. Each run is `DIR/runs/catch-0`, what it printed is beside
it; at the end come the table of `tools/bsuite_score.py`, `DIR/scores.json` and
`DIR/radar.png`.

Exits with 1 where a run failed, with 2 for a wrong option, 128 + N after signal N.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bsuite_score  # noqa: E402

STATE = "sweep.json"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SweepError(Exception):
    """The sweep can't begin; the text says why, in one line."""


def expand(words: Sequence[str]) -> list[str]:
    """Configurations that some words stand for, in the order of the suite.

    Raises:
        SweepError: a word stands for nothing.
    """
    from bsuite import sweep

    groups: dict[str, Sequence[str]] = {"all": sweep.SWEEP, "testing": sweep.TESTING}
    groups |= dict(sweep.TAGS)
    for identity in sweep.SWEEP:
        experiment = identity.partition("/")[0]
        groups[experiment] = [*groups.get(experiment, ()), identity]
    chosen: set[str] = set()
    for word in words:
        if word in groups:
            chosen.update(groups[word])
        elif word in sweep.SETTINGS:
            chosen.add(word)
        else:
            raise SweepError(
                f"'{word}' is no configuration such as catch/0, and none of "
                f"{', '.join(groups)}."
            )
    return [identity for identity in sweep.SWEEP if identity in chosen]


class Runner:
    """Runs commands, some at a time, until all have ended or a signal comes.

    The signal is passed on, once each time it comes: a training saves itself after the
    first and leaves at once after the second. Commands have sessions of their own, so
    that a Ctrl-C reaches them this way only.

    Attributes:
        stopped: the signal that came, or `None`.
    """

    def __init__(self, jobs: int):
        self.jobs = jobs
        self.stopped: int | None = None
        self.running: dict[str, subprocess.Popen] = {}

    def run(
        self,
        commands: dict[str, list[str]],
        output: Callable[[str], pathlib.Path],
        on_end: Callable[[str, int], None],
    ) -> None:
        """Runs the commands.

        Args:
            commands: by name.
            output: file for what a command prints; it is added to.
            on_end: called with the name and the exit status of each that ended.
        """
        waiting = list(commands)
        with self.listening():
            while self.running or (waiting and not self.stopped):
                while waiting and len(self.running) < self.jobs and not self.stopped:
                    name = waiting.pop(0)
                    self.start(name, commands[name], output(name))
                for name, process in list(self.running.items()):
                    if process.poll() is not None:
                        del self.running[name]
                        on_end(name, process.returncode)
                time.sleep(0.1)

    def start(self, name: str, command: list[str], path: pathlib.Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            self.running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Signals come to `stop`, and no command is left behind, whatever happens."""
        before = {number: signal.signal(number, self.stop) for number in SIGNALS}
        try:
            yield
        finally:
            for process in self.running.values():
                process.kill()
                process.wait()
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self, number: int, frame: object) -> None:
        del frame
        self.stopped = number
        for process in self.running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)


class Sweep:
    """A folder of runs, and which of them have finished.

    Args:
        out: the folder.
        settings: what all runs share, as on the command line of the program.

    Raises:
        SweepError: the folder holds a sweep with other settings.
    """

    def __init__(self, out: pathlib.Path, settings: list[str]):
        self.out, self.settings = out, settings
        self.failed: list[str] = []
        self.finished: list[str] = []
        self.begun: dict[str, float] = {}
        if (out / STATE).exists():
            saved = json.loads((out / STATE).read_text())
            if saved["settings"] != settings:
                raise SweepError(
                    f"{out} holds a sweep with the settings "
                    f"'{' '.join(saved['settings'])}', asked for are "
                    f"'{' '.join(settings)}'; use another --out."
                )
            self.finished = saved["finished"]

    def save(self) -> None:
        """Writes which runs have finished, whole or not at all."""
        self.out.mkdir(parents=True, exist_ok=True)
        state = {"settings": self.settings, "finished": self.finished}
        hidden = self.out / f".{STATE}"
        hidden.write_text(json.dumps(state, indent=1) + "\n")
        os.replace(hidden, self.out / STATE)

    def folder(self, identity: str) -> pathlib.Path:
        return self.out / "runs" / identity.replace("/", "-")

    def output(self, identity: str) -> pathlib.Path:
        self.begun[identity] = time.monotonic()
        print(f"begins    {identity}", flush=True)
        return self.folder(identity).with_suffix(".txt")

    def command(self, identity: str, threads: int) -> list[str]:
        """The command line of a run, whatever the working directory."""
        program = str(HERE.parent / "dreamerv3_tf" / "main.py")
        command = [sys.executable, program, "--task", f"bsuite_{identity}"]
        command += ["--logdir", str(self.folder(identity))]
        return [*command, f"compute.threads={threads}", *self.settings]

    def ended(self, identity: str, status: int) -> None:
        """Notes how a run ended; 128 + SIGINT is one that was told to stop."""
        seconds = time.monotonic() - self.begun[identity]
        word = "finished"
        if status == 0:
            self.finished.append(identity)
            self.save()
        elif status in (128 + signal.SIGINT, -signal.SIGINT):
            word = "stopped"
        else:
            self.failed.append(identity)
            word = "FAILED"
        print(f"{word:<9} {identity}, {seconds:.0f} s", flush=True)
        if word == "FAILED":
            path = self.folder(identity).with_suffix(".txt")
            lines = path.read_text(errors="replace").strip().splitlines()
            print(f"          {lines[-1] if lines else 'no output'}  ({path})")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line; `settings` are those of the program."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("words", nargs="+", metavar="WHAT | section.key=value")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="a folder")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--preset", help="as of the program")
    parser.add_argument("--seed", default="0", help="of all runs")
    args = parser.parse_intermixed_args(argv)
    args.settings = [f"--seed={args.seed}"]
    args.settings += [f"--preset={args.preset}"] if args.preset else []
    args.settings += [word for word in args.words if "=" in word]
    args.what = [word for word in args.words if "=" not in word]
    if not args.what or args.jobs < 1:
        parser.error("expected WHAT, such as testing, and --jobs of at least 1")
    return args


def without_mnist(chosen: list[str], settings: list[str]) -> list[str]:
    """Leaves out what would fail for want of the images, and says so."""
    if any(setting.startswith("env.mnist_dir=") for setting in settings):
        return chosen
    kept = [identity for identity in chosen if not identity.startswith("mnist")]
    if len(kept) < len(chosen):
        count = len(chosen) - len(kept)
        print(f"left out: {count} of mnist, for env.mnist_dir=FOLDER is not set")
    return kept


def sweep(args: argparse.Namespace) -> int:
    """Runs what has not finished, and scores; returns the exit status.

    Raises:
        SweepError: a wrong option.
        ScoreError: there are no logs to score.
    """
    chosen = without_mnist(expand(args.what), args.settings)
    state = Sweep(args.out, args.settings)
    state.save()
    left = [identity for identity in chosen if identity not in state.finished]
    print(f"{len(chosen)} configurations, {len(chosen) - len(left)} finished before")
    threads = 0 if args.jobs == 1 else max((os.cpu_count() or 1) // args.jobs, 1)
    runner: Any = Runner(args.jobs)
    commands = {identity: state.command(identity, threads) for identity in left}
    runner.run(commands, state.output, state.ended)
    if runner.stopped:
        print("Stopped; the same command goes on from here.")
        return 128 + runner.stopped
    print(bsuite_score.report([args.out / "runs"], args.out, "ours"))
    print(f"Written: {args.out / 'scores.json'} and {args.out / 'radar.png'}")
    if state.failed:
        print(f"{len(state.failed)} failed: {', '.join(state.failed)}")
    return 1 if state.failed else 0


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    try:
        return sweep(args)
    except ModuleNotFoundError as error:
        text = f"The package '{error.name}' is missing: pip install '.[bsuite]'"
    except (SweepError, bsuite_score.ScoreError) as error:
        text = str(error)
    print(f"bsuite_sweep: {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
