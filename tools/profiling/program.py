"""The command line of `tools/profile.py`."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from bench import report as machine  # noqa: E402
from bench import setups  # noqa: E402
from curves import pictures  # noqa: E402
from curves.runs import RunError  # noqa: E402

from dreamerv3_tf.config import Config  # noqa: E402
from dreamerv3_tf.envs.base import EnvError  # noqa: E402
from dreamerv3_tf.values import ConfigError  # noqa: E402

from . import report, steps  # noqa: E402

COUNTS = {"train": 5, "policy": 200}
"""Profiled steps where the command line does not say."""


def parse(argv: list[str] | None, description: str) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("profile.py", description=description)
    option = parser.add_argument
    option("--step", choices=list(COUNTS), default="train", help="what to profile")
    option("--input", choices=list(setups.INPUTS), default=None, help="made-up inputs")
    option("--task", help="inputs of a task in place of made-up ones")
    option("--size", default="1m", help="1m by default; also the name of a preset")
    option("--xla", choices=("auto", "off", "split", "full"), default="auto")
    option("--precision", default="float32", help="float32, bfloat16 or float16")
    option("--envs", type=int, default=1, help="environments of a policy step")
    option("--steps", type=int, help="to profile; 5, or 200 of the policy, by default")
    option("--top", type=int, default=0, help="also list so many single operations")
    option("--out", nargs="+", type=pathlib.Path, default=[], help="pictures to draw")
    option("--json", type=pathlib.Path, help="file to write")
    option("settings", nargs="*", help="section.key=value, as of the program")
    args = parser.parse_args(argv)
    if args.task and args.input:
        parser.error("--task and --input exclude each other: give one of them")
    if not args.task:
        args.input = args.input or "vector"
    if args.json and not args.json.parent.is_dir():
        parser.error(f"--json {args.json}: no folder {args.json.parent}; make it first")
    args.steps = COUNTS[args.step] if args.steps is None else args.steps
    if args.steps < 1 or args.envs < 1:
        parser.error("--steps and --envs must be at least 1")
    return args


def load_config(args: argparse.Namespace) -> Config:
    """The settings of the agent.

    Raises:
        ConfigError: a setting is wrong.
    """
    case = {"size": args.size, "xla": args.xla, "precision": args.precision}
    case["settings"] = args.settings
    return setups.load_config(case, args.task or "dummy_disc")


def main(argv: list[str] | None, description: str) -> int:
    """What the program does; returns its exit status."""
    args = parse(argv, description)
    try:
        pictures.check_files(args.out)
        config = load_config(args)
        setup = steps.load_setup(config, args.input)
    except (ConfigError, EnvError, RunError) as error:
        print(f"profile: {error}", file=sys.stderr)
        return 2
    if args.step == "train":
        step = steps.train_step(setup)
    else:
        step = steps.policy_step(setup, args.envs)
    before = machine.describe_machine()
    found = steps.profile(setup, step, args.step, args.steps)
    title = name(args, setup.device.xla)
    print(title)
    print(report.table(found, args.top))
    if args.json:
        tree = {"title": title, "machine": before, **report.as_json(found)}
        args.json.write_text(json.dumps(tree, indent=2) + "\n", encoding="utf-8")
    if args.out:
        report.draw(found, title, args.out)
    return 0


def name(args: argparse.Namespace, xla: str) -> str:
    """What was profiled, in words."""
    words = [f"{args.step} step", args.size, args.task or args.input, f"xla={xla}"]
    words += [f"{args.envs} environments"] if args.step == "policy" else []
    return ", ".join([*words, args.precision, *args.settings])
