"""The tables of docs/versions.md, written from the settings themselves.

    python tools/versions.py [--write]

Prints, or with `--write` puts between the marks of the page: what each version of the
algorithm has for the tasks of each suite, what the two papers have different, and the
presets that take one trick away. A test compares the page with the settings.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import sys
from collections.abc import Iterable, Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dreamerv3_tf import presets, values  # noqa: E402
from dreamerv3_tf.config import Config, walk  # noqa: E402

PAGE = ROOT / "docs" / "versions.md"
CONFIGS = ROOT / "configs"
PAPERS = ("paper2023", "paper2025")
NO_END = 10**10
"""Agent steps of a run that somebody else ends."""

SUITES = {
    "atari": "atari_pong",
    "atari100k": "atari100k_pong",
    "bsuite": "bsuite_catch/0",
    "crafter": "crafter_reward",
    "dmc": "dmc_walker_walk",
    "dmc_vision": "dmc_vision_walker_walk",
    "dmlab": "dmlab_rooms_watermaze",
    "minecraft": "minecraft_diamond",
    "procgen": "procgen_coinrun",
    "memory_maze": "memory_maze_9x9",
    "gym": "gym_CartPole-v1",
}
"""Suites of the papers and of the published code, and a task for each."""

ROWS = {
    "size": lambda config: config.size,
    "train ratio": lambda config: f"{config.run.train_ratio:g}",
    "environments": lambda config: str(config.run.envs),
    "action repeat": lambda config: str(config.env.get("repeat", 1)),
    "agent steps": lambda config: steps(config.run.steps),
    "train steps": lambda config: train_steps(config),
}
"""What is compared, besides the arguments of the environment."""


def main(arguments: list[str] | None = None) -> int:
    """The command line; always status 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="change docs/versions.md")
    asked = parser.parse_args(arguments)
    if asked.write:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(renew(text), encoding="utf-8")
    else:
        print("\n\n".join(table() for table in TABLES.values()))
    return 0


def renew(text: str) -> str:
    """The page with all tables as the settings have them now.

    Raises:
        SystemExit: a table's marks are not in the text, once each.
    """
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise SystemExit(f"{PAGE.name}: expected {begin} and {end}, once each.")
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{table()}\n{end}{rest.split(end)[1]}"
    return text


def tasks() -> str:
    """What each version has for each suite; bold where it is not as in paper2025."""
    lines = list(header("suite", "", *presets.VERSIONS))
    for suite, task in SUITES.items():
        configs = [
            presets.load(task, [version], configs=CONFIGS, accelerator=True)
            for version in presets.VERSIONS
        ]
        for index, (name, cells) in enumerate(compare(configs)):
            standard = cells[presets.VERSIONS.index("paper2025")]
            cells = [cell if cell == standard else f"**{cell}**" for cell in cells]
            lines.append(row(f"`{suite}`" if index == 0 else "", name, *cells))
    return "\n".join(lines)


def compare(configs: list[Config]) -> Iterator[tuple[str, list[str]]]:
    """Rows of a suite: name, and the value of each version."""
    for name, show in ROWS.items():
        yield name, [show(config) for config in configs]
    if {config.compute.precision for config in configs} != {"auto"}:
        yield "precision", [precision(config) for config in configs]
    for key in configs[0].env:
        cells = [values.to_text(config.env[key]) for config in configs]
        if key != "repeat" and len(set(cells)) > 1:
            yield f"`env.{key}`", cells


def steps(count: float) -> str:
    """Agent steps in short: `110K`, `51M`, `no end`."""
    if count >= NO_END:
        return "no end"
    return f"{count / 1e6:g}M" if count >= 1e6 else f"{count / 1e3:g}K"


def train_steps(config: Config) -> str:
    """Train steps of the whole run: steps · train ratio / (batch · length)."""
    if config.run.steps >= NO_END:
        return "no end"
    batch = config.replay.batch_size * config.replay.batch_length
    return steps(round(config.run.steps * config.run.train_ratio / batch, -3))


def precision(config: Config) -> str:
    """What an accelerator computes in."""
    chosen = config.compute.precision
    return config.compute.half if chosen == "auto" else chosen


def changes() -> str:
    """What the two papers have different, apart from suites."""
    old, new = (
        dict(walk(values.parse((CONFIGS / f"{name}.yaml").read_text(), name)))
        for name in PAPERS
    )
    rows = (
        row(f"`{key}`", shown(old[key]), shown(new[key]))
        for key in old
        if "@" not in key
    )
    return "\n".join([*header("setting", *PAPERS), *rows])


def shown(value: object) -> str:
    """A value of a file as it stands there."""
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)


def ablations() -> str:
    """The presets that take one trick away, with the comments of their files."""
    lines = list(header("preset", "settings", "what it does"))
    for name in presets.list_presets(CONFIGS)[1]:
        text = presets.find_preset(CONFIGS, name).read_text(encoding="utf-8")
        tree = dict(walk(values.parse(text, name)))
        settings = " ".join(f"`{key}={shown(value)}`" for key, value in tree.items())
        lines.append(row(f"`{name}`", settings, comment(text)))
    return "\n".join(lines)


def comment(text: str) -> str:
    """The lines at the beginning of a file that start with `#`, as one."""
    block = re.match(r"(#.*\n)+", text)
    assert block, text
    return " ".join(line.lstrip("# ") for line in block[0].splitlines())


def header(*names: str) -> Iterable[str]:
    """The first two lines of a table."""
    return row(*names), "|" + "---|" * len(names)


def row(*cells: str) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"


TABLES = {"tasks": tasks, "changes": changes, "ablations": ablations}
"""Tables of the page by the name in their marks."""

if __name__ == "__main__":
    sys.exit(main())
