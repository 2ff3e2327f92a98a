"""Cases that run the program from the shell."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile
import time

from .stopwatch import Stopwatch

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 900.0
"""Seconds that a training run has for its first step."""


def start(case: dict, watch: Stopwatch) -> None:
    """From the shell to the first train step, and imports alone."""
    programs = {
        "import_main": "import dreamerv3_tf.main",
        "import_worker": "import dreamerv3_tf.run.worker",
        "import_agent": "import dreamerv3_tf.run.build",
    }
    repeats = case["repeats"]
    for figure, code in programs.items():
        command = [sys.executable, "-c", code]
        watch.laps(figure, lambda command=command: run_quietly(command), repeats)
    preset = f"size{case['size']}" if case["size"][:1].isdigit() else case["size"]
    settings = [*computing(case), *case["settings"]]
    watch.laps("first_step", lambda: train_one_step(preset, settings), repeats)


def computing(case: dict) -> list[str]:
    """The case's choices of `--xla` and `--precision` as settings of the program."""
    return [f"compute.{key}={case[key]}" for key in ("xla", "precision")]


def run_quietly(command: list[str]) -> None:
    """Runs a command from the checkout.

    Raises:
        RuntimeError: it failed; with the end of what it printed.
    """
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        tail = (done.stdout + done.stderr)[-2000:]
        raise RuntimeError(f"{command} ended with {done.returncode}: {tail}")


def train_one_step(preset: str, settings: list[str]) -> None:
    """Trains until the metrics of the first train step are in `metrics.jsonl`.

    Raises:
        RuntimeError: the program ends or takes too long before that.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        command = [
            *(sys.executable, "-m", "dreamerv3_tf.main", "--task"),
            *("dmc_cartpole_balance", "--preset", preset, "--logdir", folder),
            *("log.every=0.01", "log.outputs=[jsonl]", *settings),
        ]
        with (path / "output.txt").open("w") as output:
            program = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            wait_for_metrics(path / "metrics.jsonl", program)
        except RuntimeError as error:
            tail = (path / "output.txt").read_text()[-2000:]
            raise RuntimeError(f"{' '.join(command)}: {error}\n{tail}") from error
        finally:
            program.kill()
            program.wait()


def wait_for_metrics(path: pathlib.Path, program: subprocess.Popen) -> None:
    """Returns when a line of the file holds the loss of a train step.

    Raises:
        RuntimeError: the program ends or takes too long before that.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if path.exists() and '"opt/loss"' in path.read_text():
            return
        if program.poll() is not None:
            raise RuntimeError(f"it ended with {program.returncode}")
        time.sleep(0.05)
    raise RuntimeError(f"no train step after {PATIENCE:.0f} s")
