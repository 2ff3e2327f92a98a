"""Which cases the options ask for, and what they are called."""

from __future__ import annotations

import argparse
import itertools

from . import scale

FIELDS = ("size", "input", "xla", "precision")
VARIANTS = ("auto", "float32")
"""Values of `--xla` and `--precision` that are not named in a case's name."""

PROGRAMS = ("start", "loop", "learning")
"""Kinds that run the program, with the inputs of its task."""


def plan(args: argparse.Namespace) -> list[dict]:
    """All cases that the options ask for; JSON values."""
    shared = {
        "repeats": args.repeat,
        "block": args.block,
        "settings": args.settings,
        "batches": [1, 16],
        "quick": args.quick,
        "seeds": args.seeds,
    }
    found = []
    for kind in args.only:
        found += [{"kind": kind, **case, **shared} for case in choices(kind, args)]
    return [named(case) for case in found]


def choices(kind: str, args: argparse.Namespace) -> list[dict]:
    """The cases of a kind, but for what all cases share."""
    if kind == "envs":
        return [{"task": task} for task in args.tasks]
    if kind == "voxel":
        return [{}]
    trained = kind == "train"
    chosen = itertools.product(
        args.sizes if trained else args.sizes[:1],
        args.inputs if kind not in (*PROGRAMS, "scale") else ["vector"],
        args.xla if trained else args.xla[:1],
        args.precision,
    )
    cases = [dict(zip(FIELDS, values, strict=True)) for values in chosen]
    if kind == "scale":
        return [
            {**case, **point} for point in scale.points(args.quick) for case in cases
        ]
    return cases


def named(case: dict) -> dict:
    """The case with its name, such as `train/1m_image_off`."""
    kind = case["kind"]
    if kind == "voxel":
        return {**case, "name": kind, "variant": ""}
    if kind == "envs":
        return {**case, "name": f"{kind}/{case['task']}", "variant": ""}
    if kind == "scale" and case["part"] != "train":
        return {**case, "name": f"{kind}/{scale.point_name(case)}", "variant": ""}
    marks = [case[key] for key in ("xla", "precision") if case[key] not in VARIANTS]
    variant = "".join(f"_{mark}" for mark in marks)
    if kind == "scale":
        own = scale.point_name(case)
    else:
        own = case["size"] if kind in PROGRAMS else f"{case['size']}_{case['input']}"
    return {**case, "name": f"{kind}/{own}{variant}", "variant": variant}
