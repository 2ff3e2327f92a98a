"""What each suite does on this machine: the table of the README, pictures and videos.

    python tools/suites.py [--only dmc,atari] [--seconds 5] [--out DIR] [--readme]

For one task of each suite: the package, steps per second of the environment alone and
with the agent's policy, and whether it ran for real. Everything else with the suites is
the same, so one task stands for all. Writes into DIR: `suites.json`, `suites.md`, a
video `SUITE.gif` of the beginning of an episode with random actions, and `contact.png`,
a frame of each. `--readme` puts the table between the marks of README.md.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import pathlib
import subprocess
import sys
from typing import Any, NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PROBE = pathlib.Path(__file__).resolve().parent / "suites" / "probe.py"
MARKS = "<!-- suites: begin -->", "<!-- suites: end -->"
HEAD = ("suite", "task", "package", "steps/s alone", "with policy", "how")


class Suite(NamedTuple):
    """A suite and the task that stands for it.

    Attributes:
        name: of the suite.
        task: what is run.
        package: what is installed for it, as the package index calls it.
        tested: what the tests can do where the package can't be installed.
    """

    name: str
    task: str
    package: str
    tested: str = ""


SUITES = (
    Suite("dmc", "dmc_walker_walk", "dm_control"),
    Suite("dmc_vision", "dmc_vision_walker_walk", "dm_control"),
    Suite("atari", "atari_pong", "ale-py"),
    Suite("atari100k", "atari100k_pong", "ale-py"),
    Suite("bsuite", "bsuite_catch/0", "bsuite"),
    Suite("crafter", "crafter_reward", "crafter"),
    Suite("dmlab", "dmlab_rooms_watermaze", "deepmind_lab", "contract-tested"),
    Suite("vizdoom", "vizdoom_basic", "vizdoom"),
    Suite("memory_maze", "memory_maze_9x9", "memory-maze"),
    Suite("procgen", "procgen_coinrun", "procgen-mirror"),
    Suite("minecraft", "minecraft_diamond", "numba"),
    Suite("gym", "gym_CartPole-v1", "gymnasium"),
)


def main() -> int:
    """The command line; status 1 where a suite that is installed failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="names of suites, with commas")
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="of each measurement"
    )
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("suites"))
    parser.add_argument(
        "--readme", action="store_true", help="write the README's table"
    )
    asked = parser.parse_args()
    chosen = choose(asked.only)
    asked.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for suite in chosen:
        rows.append(run(suite, asked.seconds, asked.out))
        print(" | ".join(cells(rows[-1])), flush=True)
    (asked.out / "suites.json").write_text(json.dumps(rows, indent=2) + "\n")
    text = table(rows)
    (asked.out / "suites.md").write_text(text)
    contact(rows, asked.out)
    if asked.readme:
        write_readme(ROOT / "README.md", text)
    return int(any(row["state"] == "failed" for row in rows))


def choose(only: str) -> list[Suite]:
    """The suites of these names, all of them for an empty text.

    Raises:
        SystemExit: there is no such suite.
    """
    known = {suite.name: suite for suite in SUITES}
    names = [name for name in only.split(",") if name] or list(known)
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(
            f"--only: no suite {', '.join(unknown)}. Suites: {', '.join(known)}."
        )
    return [known[name] for name in names]


def run(suite: Suite, seconds: float, out: pathlib.Path) -> dict[str, Any]:
    """What the suite does; its parts run in processes of their own.

    Rendering may not share a process with TensorFlow, and a suite that crashes takes
    nothing else with it.
    """
    row: dict[str, Any] = {**suite._asdict(), "version": version(suite.package)}
    row["state"] = "ran for real" if row["version"] else "not installed"
    if not row["version"]:
        return row
    for part in ("alone", "policy"):
        command = [sys.executable, str(PROBE), part, suite.task, str(seconds)]
        command += [str(out / suite.name)] if part == "alone" else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            row["state"] = "failed"
            row["error"] = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return row
        row |= json.loads(done.stdout.strip().splitlines()[-1])
    return row


def version(package: str) -> str:
    """Version of an installed package; empty where it is not there."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def cells(row: dict[str, Any]) -> list[str]:
    """A row of the table."""
    state = row["state"]
    if state == "not installed" and row["tested"]:
        state = row["tested"]
    if "error" in row:
        state += f": {row['error']}"
    package = f"{row['package']} {row['version'] or '–'}"
    rates = [f"{row[key]:,.0f}" if key in row else "–" for key in ("alone", "policy")]
    return [f"`{row['name']}`", f"`{row['task']}`", package, *rates, state]


def table(rows: list[dict[str, Any]]) -> str:
    """The table in Markdown."""
    lines = [HEAD, ("---",) * len(HEAD), *map(cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def contact(rows: list[dict[str, Any]], out: pathlib.Path) -> None:
    """Writes `contact.png`: the last frame of each video, with the suite's name."""
    from PIL import Image, ImageDraw

    side, names = 256, [row["name"] for row in rows]
    names = [name for name in names if (out / f"{name}.png").is_file()]
    if not names:
        return
    columns = min(4, len(names))
    lines = -(-len(names) // columns)
    sheet = Image.new("RGB", (columns * side, lines * (side + 20)), "white")
    draw = ImageDraw.Draw(sheet)
    for index, name in enumerate(names):
        x, y = index % columns * side, index // columns * (side + 20)
        with Image.open(out / f"{name}.png") as frame:
            sheet.paste(frame.resize((side, side), Image.Resampling.NEAREST), (x, y))
        draw.text((x + 4, y + side + 4), name, "black")
    sheet.save(out / "contact.png")


def write_readme(path: pathlib.Path, text: str) -> None:
    """Replaces what stands between the marks.

    Raises:
        SystemExit: the marks are not there.
    """
    begin, end = MARKS
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{path.name} lacks the lines {begin} and {end}.")
    path.write_text(f"{before}{begin}\n{text}{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
