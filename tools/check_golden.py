"""Compares this implementation with recorded numbers of the reference.

    python tools/check_golden.py DIR [--xla off|split|full] [--verbose]

DIR, or any folder below it, holds files in the format of the golden test vectors: an
agent (`config.json`, `params.npz`, and what was recorded of it) or functions and
layers (`functions.npz`, `layers.npz`, …). Prints the largest deviation of each group of
checks, what was not checked and why, and a summary line. Exits with 1 where a tolerance
is exceeded or a check cannot be made, with 2 where there is nothing to check.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import dreamerv3_tf  # noqa: E402, F401, I001  (its settings, before TensorFlow)
from golden import agents, parts, preprint_parts, updates  # noqa: E402
from golden.ledger import Ledger  # noqa: E402

CHECKS = {**parts.CHECKS, **updates.CHECKS}


def main(argv: list[str] | None = None) -> int:
    text = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--xla", default="off", choices=["off", "split", "full"])
    parser.add_argument("--verbose", action="store_true", help="one line a check")
    args = parser.parse_args(argv)
    if not args.directory.is_dir():
        print(f"{args.directory} is no folder.", file=sys.stderr)
        return 2
    ledger = Ledger()
    root = args.directory
    for folder in [root, *sorted(p for p in root.rglob("*") if p.is_dir())]:
        label = str(folder.relative_to(root))
        check_folder(folder, ledger.at(label), args.xla)
    print(ledger.table(args.verbose))
    print(ledger.summary())
    return ledger.status()


def check_folder(folder: pathlib.Path, ledger: Ledger, xla: str) -> None:
    """Runs every check for which the folder has files."""
    files = sorted(folder.glob("*.npz"))
    if (folder / "config.json").exists():
        with ledger.guard():
            config = json.loads((folder / "config.json").read_text())
            check = agents.check if "agent_config" in config else preprint_parts.check
            check(folder, config, ledger, xla)
    elif (folder / "params.npz").exists():
        ledger.fail("there are parameters but no config.json to build an agent from")
    else:
        for file in files:
            if file.stem in CHECKS:
                with ledger.guard():
                    data, place = ledger.load(file), ledger.at(file.stem)
                    CHECKS[file.stem](data, place)
    for file in files:
        if file not in ledger.book.files:
            ledger.skip(file.name, "no check is written for it")


if __name__ == "__main__":
    sys.exit(main())
