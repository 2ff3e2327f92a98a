"""In which values a configuration deviates from the table of a paper."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from dreamerv3_tf import presets
from dreamerv3_tf.config import Config
from dreamerv3_tf.envs import env_settings, suite_of
from dreamerv3_tf.envs.manual import setting_text
from dreamerv3_tf.run.explain.notes import Note, find_note

PAPERS = {
    "paper2023": 'Hafner et al. 2023, "Mastering diverse domains through world models"',
    "paper2025": 'Hafner et al. 2025, "Mastering diverse control tasks through world '
    'models"',
}
"""What each of these presets is the algorithm of; the last one is the default."""

SHARED = ("atari", "atari100k", "bsuite", "crafter", "dmc", "dmc_vision", "dmlab")
BENCHMARKS = {
    "paper2023": (*SHARED, "minecraft"),
    "paper2025": (*SHARED, "minecraft", "procgen"),
}
"""Suites in the papers' tables of benchmarks."""

ELSEWHERE = {"minecraft": {"env.backend": "minerl"}}
"""What the papers have for a suite and our presets do not, since few can run it."""

NAMES = ("paper_size", "cpu_size")
"""Sizes that a run has not; they only say what `size: auto` would be."""

BY_TASK = ("size", "run.steps", "run.train_ratio", "run.envs", "env.repeat")
"""What the papers' tables of benchmarks have for each task."""

BUDGET = ("run.steps", "run.train_ratio", "run.envs", "run.prefill")
GROUPS = ("algorithm", "training budget", "environment", "model size", "machine, logs")


class Deviation(NamedTuple):
    """A value that is not that of the paper.

    Attributes:
        key: full name of the setting.
        here: its value.
        paper: the paper's, for the same size.
        set_by: file or flag that set it.
        group: one of `GROUPS`.
        note: what it does.
        source: where the paper's value is from.
    """

    key: str
    here: Any
    paper: Any
    set_by: str
    group: str
    note: Note
    source: str


class Comparison(NamedTuple):
    """A configuration beside a paper.

    Attributes:
        name: preset of the paper.
        paper: the configuration that the paper has for the task, in its own size.
        deviations: all that differs, beside the values that the size sets.
        equal: how many values are the paper's.
    """

    name: str
    paper: Config
    deviations: list[Deviation]
    equal: int


def chosen_paper(names: Sequence[str]) -> str:
    """The last paper among presets, or the newest one."""
    found = [name for name in names if name in PAPERS]
    return found[-1] if found else list(PAPERS)[-1]


def compare(
    config: Config, name: str, configs: str | pathlib.Path | None = None
) -> Comparison:
    """Compares a configuration with what a paper has for its task.

    Where the sizes differ, that is one deviation; values of the networks are compared
    with the paper's in the size of the configuration, so only what was set besides is
    listed.

    Args:
        config: the configuration.
        name: preset of the paper.
        configs: folder of settings, instead of the program's own.

    Raises:
        ConfigError: the folder lacks something.
    """

    def load(*more: str) -> Config:
        return presets.load(
            config.task, [name, *more], configs=configs, accelerator=True
        )

    paper = load()
    same = config.size in ("custom", paper.size)
    sized = paper if same else load(f"size{config.size}")
    sizes = {"size": paper.size, "paper_size": paper.paper_size}
    sized = dataclasses.replace(sized, **sizes)
    places = {**sized.sources, "size": paper.sources["paper_size"]}
    before, after = (with_defaults(some) for some in (sized, config))
    suite, _ = suite_of(config.task)
    theirs = ELSEWHERE.get(suite, {})
    before |= theirs
    places |= dict.fromkeys(theirs, f"docs/{suite}.md")
    deviations = [
        Deviation(
            key,
            after[key],
            before[key],
            config.sources.get(key, "the suite's default"),
            group(key, places.get(key, "")),
            note(config.task, key),
            source(config.task, key, name, places.get(key, "")),
        )
        for key in after
        if after[key] != before.get(key) and key not in NAMES
    ]
    counted = len(set(after) - {"task", *NAMES})
    return Comparison(name, paper, deviations, counted - len(deviations))


def with_defaults(config: Config) -> dict[str, Any]:
    """All values by full name, also those that the suite has for its arguments."""
    suite, name = suite_of(config.task)
    defaults = {
        f"env.{key}": parameter.default
        for key, parameter in env_settings(suite, name).items()
        if parameter.default is not parameter.empty
    }
    return {**defaults, **config.flatten()}


def group(key: str, place: str) -> str:
    """The one of `GROUPS` that a setting belongs to.

    Args:
        key: its full name.
        place: the file that the paper's value is from.
    """
    if key == "size" or is_size(place):
        return "model size"
    if key in BUDGET:
        return "training budget"
    if key.startswith("env."):
        return "environment"
    aside = key in ("seed", "compute.deterministic", "replay.deter_bytes")
    if aside or presets.is_free(key, presets.FREE_TO_CHANGE):
        return "machine, logs"
    return "algorithm"


def is_size(place: str) -> bool:
    """Whether a file is that of a size."""
    return pathlib.PurePath(place).name.startswith("size")


def note(task: str, key: str) -> Note:
    """What a setting does; those of an environment are explained by the suite."""
    section, _, name = key.partition(".")
    if section != "env":
        return find_note(key)
    text = setting_text(task, name.partition(".")[0])
    return Note(text[:1].upper() + text[1:] or "An argument of your environment.")


def source(task: str, key: str, name: str, place: str) -> str:
    """Where a value of a paper's configuration is from.

    Args:
        task: `suite_name`.
        key: full name of the setting.
        name: preset of the paper.
        place: the file that the value is from; empty for a default of the suite.
    """
    year = int(name.removeprefix("paper"))
    suite, _ = suite_of(task)
    known = suite in BENCHMARKS[name]
    listed = () if key.startswith("env.") else find_note(key).listed
    if not place:
        return f"the default of {suite}"
    if is_size(place):
        text = "the paper's table of model sizes"
    elif 0 in listed:
        text = "ours, the paper has no such choice"
    elif not known and (key in BY_TASK or key.startswith("env.")):
        text = f"ours, the paper does not have {suite}"
    elif key in BY_TASK:
        text = "the paper's table of benchmarks"
    elif year in listed:
        text = "the paper's table of hyperparameters"
    else:
        text = "the text of the paper, or the code published with it"
    return f"{text} ({place})"
