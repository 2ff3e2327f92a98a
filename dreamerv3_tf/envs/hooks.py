"""What a suite may say about itself, beside its `make`; all of it is optional.

    facts(settings) -> dict[str, str]       what must stand beside every score
    parallel(settings) -> str               how environments run side by side best
    prepare(settings, notice) -> None       what is done once, before any is made
    legend() -> dict[str, dict[str, int]]   entries of vectors that reports write out
    requirements(settings) -> list[Finding] what the suite needs, and what is there
    episodes(name, settings) -> int         how many a whole training has
    summary(rates) -> dict[str, float]      what follows from the means of episodes

`settings` is the `env:` section. None of these may import anything heavy but `prepare`
and `episodes`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from dreamerv3_tf.envs import suite_of
from dreamerv3_tf.envs.finding import Finding


def env_facts(task: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """What must stand beside every score of a task, by name; mostly nothing.

    The greeting, the metric files, evaluations, exports and the manifest repeat it.

    Raises:
        EnvError: unknown suite.
    """
    return _call(task, "facts", settings) or {}


def in_words(facts: Mapping[str, str]) -> str:
    """The facts as sentences on one line; empty where there are none."""
    return " ".join(f"{name.capitalize()}: {value}." for name, value in facts.items())


def env_parallel(task: str, settings: Mapping[str, Any]) -> str:
    """How environments of a task run side by side best: `process` or `thread`.

    Or `none`, in the program itself: for what counts over all episodes of a run, since
    a checkpoint can keep only what has not run ahead of it. Other ways are refused.

    Raises:
        EnvError: unknown suite.
    """
    return _call(task, "parallel", settings) or "process"


def prepare_env(
    task: str, settings: Mapping[str, Any], notice: Callable[[str], None]
) -> None:
    """Does what is needed once on this machine before environments can be made.

    Args:
        task: `suite_name`.
        settings: the `env:` section.
        notice: told what takes long.

    Raises:
        EnvError: unknown suite, or it failed.
    """
    _call(task, "prepare", settings, notice)


def env_legend(task: str) -> dict[str, dict[str, int]]:
    """Entries of vectors that reports write beside the pictures.

    Returns:
        For observation keys of rank 1: names and places of the entries that count.

    Raises:
        EnvError: unknown suite.
    """
    return _call(task, "legend") or {}


def env_requirements(task: str, settings: Mapping[str, Any]) -> list[Finding]:
    """What a task needs of the machine, with what is there; mostly nothing.

    Raises:
        EnvError: unknown suite.
    """
    return _call(task, "requirements", settings) or []


def env_episodes(task: str, settings: Mapping[str, Any]) -> int | None:
    """Episodes after which a training is over; mostly `None`, only its steps count.

    Called when the task's environment is there, so it may use the suite's package.

    Raises:
        EnvError: unknown suite.
    """
    return _call(task, "episodes", suite_of(task)[1], settings)


def env_summary(task: str, rates: Mapping[str, float]) -> dict[str, float]:
    """Scores of a suite's own that follow from the means over episodes; mostly none.

    Args:
        task: `suite_name`.
        rates: means over episodes of what is logged as `log/max/NAME`, by `NAME`.

    Raises:
        EnvError: unknown suite.
    """
    return _call(task, "summary", rates) or {}


def _call(task: str, hook: str, *arguments: Any) -> Any:
    suite, _ = suite_of(task)
    module = importlib.import_module(f"{__package__}.{suite}")
    function = getattr(module, hook, None)
    return function(*arguments) if function else None
