"""In which settings a run differs from those of the paper."""

from __future__ import annotations

from dreamerv3_tf import presets, values
from dreamerv3_tf.config import Config
from dreamerv3_tf.values import ConfigError

from .runs import FREE, Run

SHOWN = 8


def deviations(run: Run) -> str:
    """Settings that differ from the paper's for the task, in words; empty: none does.

    The width of all nets counts once, by the name of the size.
    """
    try:
        saved = presets.load_saved(run.folder / "config.yaml")
        paper = presets.load(saved.task, accelerator=True)
    except ConfigError as error:
        return f"cannot be compared with the paper's ({error})"
    found = [] if saved.size == paper.size else [f"size {saved.size} ({paper.size})"]
    found += [
        f"{key} {_text(ours)} ({_text(theirs)})"
        for key, theirs, ours in presets.differences(paper, saved, FREE)
        if not _is_size(paper, key)
    ]
    rest = f", and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + rest


def _text(value: object) -> str:
    return "absent" if value is None else values.to_text(value)


def _is_size(paper: Config, key: str) -> bool:
    """Whether the setting comes with the size."""
    return "/size" in f"/{paper.sources.get(key, '')}"
