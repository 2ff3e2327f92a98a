"""Measures speed and memory, each case in a fresh process.

    python tools/bench.py [--only train,policy] [--quick] [--json FILE] [--compare FILE]
        [section.key=value ...]

Cases: `train` steps, `start` from the shell to the first train step, `policy` steps,
`replay`, `envs`, and the `voxel` world. Prints a table and, with --json, writes the
same numbers with a description of the machine. Exits with 1 where a case failed, with 2
for a wrong option.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from bench import cases, references, report, setups  # noqa: E402
from bench.stopwatch import Stopwatch  # noqa: E402

TASKS = "dummy_disc,dmc_cartpole_balance,dmc_walker_walk,crafter_reward,gym_CartPole-v1"
FIELDS = ("size", "input", "xla", "precision")
VARIANTS = ("auto", "float32")
"""Values of `--xla` and `--precision` that are not named in a case's name."""


def words(text: str) -> list[str]:
    """What stands between commas."""
    return text.split(",")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    option, split = parser.add_argument, words
    kinds, inputs = list(cases.KINDS), list(setups.INPUTS)
    option("--only", type=split, default=kinds, help=",".join(kinds))
    option("--sizes", type=split, help="1m,12m by default; also names of presets")
    option("--inputs", type=split, default=inputs, help=",".join(inputs))
    option("--xla", type=split, default=["auto"], help="off,split,full: train steps")
    option("--precision", type=split, default=["float32"], help="bfloat16,float16")
    option("--tasks", type=split, default=words(TASKS), help="environments")
    option("--repeat", type=int, help="repetitions, 10 by default")
    option("--quick", action="store_true", help="1m, 3 repetitions, short ones")
    option("--json", type=pathlib.Path, help="file to write")
    option("--compare", type=pathlib.Path, help="older JSON file to compare with")
    option("--case", help=argparse.SUPPRESS)
    option("settings", nargs="*", help="section.key=value, as of the program")
    args = parser.parse_args(argv)
    for given, known in ((args.only, cases.KINDS), (args.inputs, setups.INPUTS)):
        if unknown := set(given) - set(known):
            parser.error(f"no {sorted(unknown)}, expected some of {', '.join(known)}")
    args.sizes = args.sizes or (["1m"] if args.quick else ["1m", "12m"])
    args.repeat = args.repeat or (3 if args.quick else 10)
    args.block = 0.05 if args.quick else 0.3
    return args


def plan(args: argparse.Namespace) -> list[dict]:
    """All cases that the options ask for; JSON values."""
    shared = {
        "repeats": args.repeat,
        "block": args.block,
        "settings": args.settings,
        "batches": [1, 16],
    }
    found = []
    for kind in args.only:
        if kind == "envs":
            found += [{"kind": kind, "task": task, **shared} for task in args.tasks]
            continue
        if kind == "voxel":
            found.append({"kind": kind, **shared})
            continue
        trained = kind == "train"
        choices = itertools.product(
            args.sizes if trained else args.sizes[:1],
            args.inputs if kind != "start" else ["vector"],
            args.xla if trained else args.xla[:1],
            args.precision,
        )
        for values in choices:
            case = dict(zip(FIELDS, values, strict=True))
            found.append({"kind": kind, **case, **shared})
    return [named(case) for case in found]


def named(case: dict) -> dict:
    """The case with its name, such as `train/1m_image_off`."""
    kind = case["kind"]
    if kind == "voxel":
        return {**case, "name": kind, "variant": ""}
    if kind == "envs":
        return {**case, "name": f"{kind}/{case['task']}", "variant": ""}
    marks = [case[key] for key in ("xla", "precision") if case[key] not in VARIANTS]
    variant = "".join(f"_{mark}" for mark in marks)
    size = case["size"] if kind == "start" else f"{case['size']}_{case['input']}"
    return {**case, "name": f"{kind}/{size}{variant}", "variant": variant}


def run_case(case: dict) -> dict:
    """Measures a case in a fresh process.

    Returns:
        `{"figures": [...], "skipped": reason or None, "failed": text or None}`.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "result.json"
        case = {**case, "out": str(path)}
        command = [sys.executable, __file__, "--case", json.dumps(case)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if path.exists():
            return json.loads(path.read_text())
    failed = f"status {done.returncode}: {done.stderr[-2000:]}"
    return {"figures": [], "skipped": None, "failed": failed}


def measure_case(case: dict) -> None:
    """What the fresh process does."""
    watch = Stopwatch(case["name"], case["repeats"], case["block"])
    skipped = None
    try:
        cases.KINDS[case["kind"]](case, watch)
    except cases.Skip as reason:
        skipped = str(reason)
    result = {"figures": watch.figures, "skipped": skipped, "failed": None}
    pathlib.Path(case["out"]).write_text(json.dumps(result))


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    if args.case:
        measure_case(json.loads(args.case))
        return 0
    older = {}
    if args.compare:
        try:
            older = report.read_figures(args.compare)
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)
            return 2
    result = {
        "machine": report.describe_machine(),
        "reference": references.TITLE,
        "options": {key: str(value) for key, value in vars(args).items() if value},
        "figures": [],
        "skipped": {},
        "failed": {},
    }
    for case in plan(args):
        print(f"{case['name']} …", file=sys.stderr, flush=True)
        found = run_case(case)
        result["figures"] += [
            report.add_comparisons(figure, case["variant"], older)
            for figure in found["figures"]
        ]
        for key in ("skipped", "failed"):
            if found[key]:
                result[key][case["name"]] = found[key]
    result["machine"]["load_average_after"] = list(os.getloadavg())
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(report.table(result["figures"], bool(older)))
    for key in ("skipped", "failed"):
        for name, reason in result[key].items():
            print(f"{key}: {name}: {reason}")
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
