"""What a run was made with, saved in its folder: settings, versions, machine.

`config.yaml` holds the settings, `manifest.json` one entry for each start of the run.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import dreamerv3_tf
from dreamerv3_tf import presets, values
from dreamerv3_tf.config import Config
from dreamerv3_tf.values import ConfigError

CONFIG = "config.yaml"
MANIFEST = "manifest.json"

PACKAGES = (
    "tensorflow", "keras", "tf-keras", "tensorflow-probability", "tf-agents", "numpy",
    "numba", "gymnasium", "dm_control", "mujoco", "crafter", "absl-py", "tensorboard",
)  # fmt: skip
"""Packages whose versions are saved."""


def save(
    logdir: str | pathlib.Path,
    config: Config,
    *,
    command: Sequence[str],
    facts: Mapping[str, Any],
) -> None:
    """Writes the settings and adds an entry for this start of the run.

    Args:
        logdir: folder of the run, made where it does not exist.
        config: settings of this start.
        command: the command line, `sys.argv`.
        facts: what the program chose by itself, as JSON values, such as `device` and
            `precision`.
    """
    logdir = pathlib.Path(logdir)
    logdir.mkdir(parents=True, exist_ok=True)
    entry = {
        "time": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": shlex.join(command),
        "seed": config.seed,
        "git": git_state(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": versions(),
        **facts,
        "sources": dict(config.sources),
    }
    starts = [*read(logdir), entry]
    write(logdir / CONFIG, config.to_yaml(sources=True))
    write(logdir / MANIFEST, json.dumps({"starts": starts}, indent=2) + "\n")


def check_resume(
    logdir: str | pathlib.Path, config: Config, facts: Mapping[str, Any] | None = None
) -> bool:
    """Whether there is a run to go on with; a folder without one is free to use.

    Args:
        logdir: folder of the run.
        config: settings that are asked for now.
        facts: those of `save` that must be as they were, such as `precision`.

    Raises:
        ConfigError: the folder holds a run with other settings; lists each difference
            that matters, as `key: saved -> asked`.
    """
    path = pathlib.Path(logdir) / CONFIG
    if not path.exists():
        return False
    found = presets.differences(presets.load_saved(path), config)
    starts = read(pathlib.Path(logdir))
    saved = starts[-1] if starts else {}
    for key, asked in (facts or {}).items():
        if key in saved and saved[key] != asked:
            found.append((key, saved[key], asked))
    if found:
        text = ", ".join(
            f"{key}: {values.to_text(old)} -> {values.to_text(new)}"
            for key, old, new in found
        )
        raise ConfigError(
            f"--logdir: {logdir} holds a run with other settings ({text}). Choose "
            "another --logdir, or leave out --task to go on with the saved settings."
        )
    return True


def read(logdir: pathlib.Path) -> list[dict[str, Any]]:
    """Entries of all starts of a run so far.

    Raises:
        ConfigError: the manifest is not as `save` writes it.
    """
    path = logdir / MANIFEST
    if not path.exists():
        return []
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))["starts"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path}: expected JSON with a list `starts` ({error}). "
            "Move it away to go on."
        ) from error


def write(path: pathlib.Path, text: str) -> None:
    """Writes a file that is whole at any moment."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def versions() -> dict[str, str | None]:
    """Versions of this package and of those it stands on; `None`: not installed."""
    found: dict[str, str | None] = {"dreamerv3_tf": dreamerv3_tf.__version__}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def git_state() -> dict[str, Any] | None:
    """Commit of the checkout and whether files differ from it; `None`: no checkout."""
    root = pathlib.Path(dreamerv3_tf.__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(root), *arguments],
                capture_output=True,
                text=True,
                check=True,
                timeout=20,
            ).stdout.strip()
            for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain"])
        )
    except (OSError, subprocess.SubprocessError) as error:
        return {"commit": None, "error": str(error)}
    return {"commit": commit, "changed": bool(changes)}
