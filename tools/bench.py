"""Measures speed and memory, each case in a fresh process.

    python tools/bench.py [--only train,policy] [--quick] [--json FILE] [--compare FILE]
        [section.key=value ...]
    python tools/bench.py --only scale --json FILE --plot FILE.png
    python tools/bench.py --read FILE --plot FILE.png

Cases: `train` steps, `start` from the shell to the first train step, `policy` steps,
`replay`, `envs`, the `loop` (where the time of a training goes), and the `voxel` world.
Where `--only` names them, also `learning` (a training of 48k frames with the preset
`quick` on each of `--seeds`) and `scale` (larger batches, longer horizons, fuller
replays, 64 environments). Prints a table and, with --json, writes the same numbers with
a description of the machine. Exits with 1 where a case failed, with 2 for a wrong
option.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from bench import cases, growth, references, report, setups  # noqa: E402
from bench.memory import MemoryWatch  # noqa: E402
from bench.plan import plan  # noqa: E402
from bench.stopwatch import Skip, Stopwatch  # noqa: E402
from curves import pictures  # noqa: E402
from curves.runs import RunError  # noqa: E402

TASKS = "dummy_disc,dmc_cartpole_balance,dmc_walker_walk,crafter_reward,gym_CartPole-v1"


def words(text: str) -> list[str]:
    """What stands between commas."""
    return text.split(",")


def numbers(text: str) -> list[int]:
    """The integers between commas."""
    return [int(word) for word in words(text)]


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    option, split = parser.add_argument, words
    kinds, inputs = list(cases.KINDS), list(setups.INPUTS)
    usual = [kind for kind in kinds if kind not in cases.ON_REQUEST]
    option("--only", type=split, default=usual, help=",".join(kinds))
    option("--sizes", type=split, help="1m,12m by default; also names of presets")
    option("--inputs", type=split, default=inputs, help=",".join(inputs))
    option("--xla", type=split, default=["auto"], help="off,split,full: train steps")
    option("--precision", type=split, default=["float32"], help="bfloat16,float16")
    option("--tasks", type=split, default=words(TASKS), help="environments")
    option("--seeds", type=numbers, default=[0, 1, 2], help="of learning; 0,1,2")
    option("--repeat", type=int, help="repetitions, 10 by default")
    option("--quick", action="store_true", help="1m, 3 repetitions, short ones")
    option("--json", type=pathlib.Path, help="file to write")
    option("--compare", type=pathlib.Path, help="older JSON file to compare with")
    option("--read", type=pathlib.Path, help="JSON file to show in place of measuring")
    option("--plot", nargs="+", type=pathlib.Path, default=[], help="pictures of scale")
    option("--case", help=argparse.SUPPRESS)
    option("settings", nargs="*", help="section.key=value, as of the program")
    args = parser.parse_args(argv)
    for given, known in ((args.only, cases.KINDS), (args.inputs, setups.INPUTS)):
        if unknown := set(given) - set(known):
            parser.error(f"no {sorted(unknown)}, expected some of {', '.join(known)}")
    check_files(parser, args)
    args.sizes = args.sizes or (["1m"] if args.quick else ["1m", "12m"])
    args.repeat = args.repeat or (3 if args.quick else 10)
    args.block = 0.05 if args.quick else 0.3
    return args


def check_files(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Ends the program where a file to write has no place, before hours of work."""
    if args.json and not args.json.parent.is_dir():
        parser.error(f"--json {args.json}: no folder {args.json.parent}; make it first")
    if args.plot and not args.read and "scale" not in args.only:
        parser.error("--plot draws the figures of `--only scale`, or of a --read file")


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
    skipped = None
    with MemoryWatch(os.getpid()) as memory:
        watch = Stopwatch(case["name"], case["repeats"], case["block"], memory)
        try:
            cases.KINDS[case["kind"]](case, watch)
        except Skip as reason:
            skipped = str(reason)
    result = {"figures": watch.figures, "skipped": skipped, "failed": None}
    pathlib.Path(case["out"]).write_text(json.dumps(result))


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    if args.case:
        measure_case(json.loads(args.case))
        return 0
    try:
        pictures.check_files(args.plot)
        older = report.read_figures(args.compare) if args.compare else {}
        if args.read:
            figures = list(report.read_figures(args.read).values())
            result = {"figures": figures, "skipped": {}, "failed": {}}
        else:
            result = measure(args, older)
        if args.plot:
            growth.draw(result["figures"], args.plot)
    except (OSError, ValueError, RunError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    show(result, bool(older))
    return 1 if result["failed"] else 0


def measure(args: argparse.Namespace, older: dict[str, dict]) -> dict:
    """Runs all cases; writes and returns their result.

    Args:
        args: the command line.
        older: figures to compare with, by name.
    """
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
    result["lines"] = growth.lines(result["figures"])
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def show(result: dict, older: bool) -> None:
    """Prints a result; with `older` figures beside it."""
    print(report.table(result["figures"], older))
    for name, line in growth.lines(result["figures"]).items():
        print(
            f"A train step over {name}: {line['fixed']:.3g} s and "
            f"{1e3 * line['slope']:.3g} ms for each; at most {line['worst']:.1%} away."
        )
    for key in ("skipped", "failed"):
        for name, reason in result[key].items():
            print(f"{key}: {name}: {reason}")


if __name__ == "__main__":
    sys.exit(main())
