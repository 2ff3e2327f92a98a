"""From YAML files and the command line to a `Config`.

Later layers win: `defaults.yaml`, the file of the task, the size, each preset in turn,
the command line. A size file comes just before the layer that named the size, so that
what stands beside `size: 12m` in a preset still counts. Of the presets, a version of
the algorithm comes first, wherever it is named: the others are changes to it.

Any section may be written `section@suite`, as in `env@dmc: {repeat: 2}`: it holds for
tasks whose name starts with `suite_` only.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

from dreamerv3_tf import values
from dreamerv3_tf.checks import check
from dreamerv3_tf.config import Config
from dreamerv3_tf.merging import Merger, read_file
from dreamerv3_tf.values import ConfigError

COMMAND_LINE = "command line"

VERSIONS = ("paper2023", "paper2025", "reference2026")
"""Presets that are a whole algorithm with its table of tasks."""

ABLATIONS = "ablations"
"""Folder of the presets that take one trick away."""

FREE_TO_CHANGE = (
    "size", "paper_size", "cpu_size",  # names only, `agent.*` holds what they mean
    "log.*", "eval.*", "export.*", "run.steps", "run.eval_envs", "run.parallel",
    "compute.threads", "compute.device", "compute.xla",
    "compute.precision",  # `auto` may mean the same: manifest.py compares what it means
)  # fmt: skip
"""What may differ when a run goes on: where and how long, not what is learned."""


def configs_folder() -> pathlib.Path:
    """`configs/` of the installed package, or beside the package in a checkout.

    Raises:
        ConfigError: it is in neither place.
    """
    package = pathlib.Path(__file__).resolve().parent
    for folder in (package / "configs", package.parent / "configs"):
        if (folder / "defaults.yaml").exists():
            return folder
    raise ConfigError(
        f"No configs/defaults.yaml in {package} or {package.parent}. Install the "
        "package again, or name the folder with --configs."
    )


def load(
    task: str,
    presets: Sequence[str] = (),
    overrides: Iterable[str] = (),
    *,
    configs: str | pathlib.Path | None = None,
    accelerator: bool = False,
) -> Config:
    """The merged and checked configuration.

    Args:
        task: `suite_name`.
        presets: names of files in the folder or its `ablations/`, or paths that end
            with `.yaml`.
        overrides: `section.key=value` each.
        configs: folder to read instead of the one that came with the program.
        accelerator: whether the run has one; chooses the size where none is named.

    Raises:
        ConfigError: a file, key, value, preset or size that does not exist or fit.
    """
    folder = open_folder(configs)
    merger = Merger(folder, task)
    merger.add_file(folder / "defaults.yaml")
    task_file = find_task_file(folder, task)
    if task_file:
        merger.add_file(task_file)
    merger.choose_size(accelerator)
    return finish(merger, presets, overrides)


def load_saved(
    path: str | pathlib.Path,
    presets: Sequence[str] = (),
    overrides: Iterable[str] = (),
    *,
    configs: str | pathlib.Path | None = None,
) -> Config:
    """The configuration of a file of `Config.to_yaml`, with changes on top.

    Keys that the file does not have, as a later version may, come from `defaults.yaml`.

    Raises:
        ConfigError: as for `load`, or the file names no task.
    """
    folder = open_folder(configs)
    tree = read_file(pathlib.Path(path), str(path))
    if not isinstance(tree, dict) or not isinstance(tree.get("task"), str):
        raise ConfigError(f"{path}: expected the saved configuration of a run.")
    merger = Merger(folder, str(tree.pop("task")))
    merger.add_file(folder / "defaults.yaml")
    merger.add(tree, str(path), name_size=False)
    return finish(merger, presets, overrides)


def finish(merger: Merger, presets: Sequence[str], overrides: Iterable[str]) -> Config:
    """Adds presets and command line, builds and checks."""
    for name in version_first(presets):
        path = find_preset(merger.folder, name)
        if path.stem.startswith("size"):
            merger.add_size(path.stem[4:], "--preset")
        else:
            merger.add_file(path)
    merger.add(command_line(overrides), COMMAND_LINE)
    config = merger.build()
    check(config)
    return config


def open_folder(configs: str | pathlib.Path | None) -> pathlib.Path:
    """The folder that was asked for, or the program's own.

    Raises:
        ConfigError: there is no `defaults.yaml` in it.
    """
    folder = pathlib.Path(configs) if configs else configs_folder()
    if not (folder / "defaults.yaml").exists():
        raise ConfigError(f"--configs: no defaults.yaml in {folder}.")
    return folder


def find_task_file(folder: pathlib.Path, task: str) -> pathlib.Path | None:
    """The file in `tasks/` with the longest name that is a prefix of the task."""
    parts = values.with_suite(task).split("_")
    for end in range(len(parts), 0, -1):
        path = folder / "tasks" / ("_".join(parts[:end]) + ".yaml")
        if path.exists():
            return path
    return None


def version_first(presets: Sequence[str]) -> list[str]:
    """The presets in the order in which they count.

    Raises:
        ConfigError: two versions of the algorithm.
    """
    versions = list(dict.fromkeys(name for name in presets if name in VERSIONS))
    if len(versions) > 1:
        raise ConfigError(
            f"--preset: {' and '.join(versions)} are versions of the whole algorithm; "
            "expected one of them."
        )
    return versions + [name for name in presets if name not in VERSIONS]


def find_preset(folder: pathlib.Path, name: str) -> pathlib.Path:
    """Path of a preset.

    Raises:
        ConfigError: there is none; names the nearest and all of them.
    """
    named = (folder / f"{name}.yaml", folder / ABLATIONS / f"{name}.yaml")
    for path in (pathlib.Path(name),) if name.endswith(".yaml") else named:
        if path.exists() and path.name != "defaults.yaml":
            return path
    plain, ablations = list_presets(folder)
    shown = f"Presets: {', '.join(plain) or f'none in {folder}'}."
    shown += f" Ablations: {', '.join(ablations)}." if ablations else ""
    hint = values.nearest(name, [*plain, *ablations])
    raise ConfigError(f"--preset: no preset '{name}'.{hint} {shown}")


def list_presets(folder: pathlib.Path) -> tuple[list[str], list[str]]:
    """Names of the presets, and of those that take one trick away."""
    plain = sorted(path.stem for path in folder.glob("*.yaml"))
    ablations = sorted(path.stem for path in (folder / ABLATIONS).glob("*.yaml"))
    return [name for name in plain if name != "defaults"], ablations


def command_line(overrides: Iterable[str]) -> dict[str, Any]:
    """Nested dict of `section.key=value` arguments.

    Raises:
        ConfigError: an argument of another form.
    """
    tree: dict[str, Any] = {}
    for argument in overrides:
        name, equals, text = argument.partition("=")
        if not equals or not name:
            raise ConfigError(
                f"{COMMAND_LINE}: cannot read '{argument}', expected section.key=value "
                "or a flag such as --task."
            )
        node, parts = tree, name.split(".")
        for part in parts[:-1]:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise ConfigError(f"{COMMAND_LINE}: '{name}' lies inside of a value.")
        node[parts[-1]] = values.parse(text, f"{COMMAND_LINE}: {name}")
    return tree


def size_line(config: Config) -> str:
    """Which size runs and who chose it, in one line."""
    source = config.sources["size"]
    if source == "cpu_size":
        return (
            f"Size {config.size}, chosen because this run is on a CPU; the paper uses "
            f"{config.paper_size} for this task (--preset size{config.paper_size})."
        )
    if source == "paper_size":
        return f"Size {config.size}, the paper's for this task."
    return f"Size {config.size}, from {source}."


def differences(
    old: Config, new: Config, free: Sequence[str] = FREE_TO_CHANGE
) -> list[tuple[str, Any, Any]]:
    """Keys that differ, with the old and the new value; an absent key is `None`.

    Args:
        free: keys that do not count; `section.*` for a whole section.
    """
    before, after = old.flatten(), new.flatten()
    found = dict.fromkeys([*before, *after])
    return [
        (key, before.get(key), after.get(key))
        for key in found
        if before.get(key) != after.get(key) and not is_free(key, free)
    ]


def is_free(key: str, free: Sequence[str]) -> bool:
    """Whether one of the names covers the key."""
    return any(
        key.startswith(name[:-1]) if name.endswith("*") else key == name
        for name in free
    )
