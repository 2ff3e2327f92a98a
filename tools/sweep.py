"""Trains or evaluates every task with every seed that one YAML file names.

    python tools/sweep.py FILE.yaml [--jobs N] [--dry-run]

Each run is a process of its own, one after the other or N at a time, in the folder
`LOGDIR/TASK/seedN`. The same command goes on where it was stopped: finished runs are
left out, the others go on from their checkpoints. A run that fails does not stop the
others. In the end there is a table of all scores beside the published ones, and the
same in `LOGDIR/summary-MODE.json`. Example: tools/sweep/example.yaml. Exit status: 1
where a run failed, 2 for bad input, 130 where it was stopped.
"""

from __future__ import annotations

import argparse
import pathlib
import shlex
import signal
import sys
from collections.abc import Sequence

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from curves.runs import RunError  # noqa: E402
from sweep import outcome, plan, pool  # noqa: E402

from dreamerv3_tf.values import ConfigError  # noqa: E402


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=pathlib.Path, metavar="FILE.yaml")
    parser.add_argument("--jobs", type=int, help="how many runs at a time")
    parser.add_argument(
        "--dry-run", action="store_true", help="show the commands and stop"
    )
    args = parser.parse_args(argv)
    if args.jobs is not None and args.jobs < 1:
        parser.error(f"--jobs is {args.jobs}, expected at least 1")
    try:
        asked = plan.read_plan(args.file)
        jobs = plan.make_jobs(asked)
        if args.dry_run:
            show(jobs)
            return 0
        outcomes = pool.run_jobs(jobs, parallel=args.jobs or asked.jobs, notice=say)
        rows, summaries = outcome.score_rows(asked)
    except (ConfigError, RunError) as error:
        print(f"sweep: {error}", file=sys.stderr)
        return 2
    path = asked.logdir / f"summary-{asked.mode}.json"
    outcome.save(path, asked, outcomes, rows, summaries)
    print(f"\n{outcome.describe(outcomes, rows, summaries)}\nsaved as {path}")
    states = {one.state for one in outcomes}
    if states & {"stopped", "not begun"}:
        return 128 + signal.SIGINT
    return 1 if "failed" in states else 0


def say(text: str) -> None:
    """Prints a line at once, also into a file."""
    print(text, flush=True)


def show(jobs: Sequence[pool.Job]) -> None:
    """Prints the commands, and which of them are done."""
    for job in jobs:
        mark = "done before: " if job.done and job.done() else ""
        print(f"{mark}{shlex.join(job.command)}")


if __name__ == "__main__":
    sys.exit(main())
