"""What the settings of an environment do, from the docstrings of the suites."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Callable

from dreamerv3_tf.envs import suite_of


def setting_text(task: str, key: str) -> str:
    """What a setting of the `env:` section does, in a phrase; empty where none says.

    It is read from the `Args:` of the suite's `make`, and of the functions that it
    names there, such as `dmc.make`.

    Args:
        task: `suite_name`.
        key: name of the setting.

    Raises:
        EnvError: unknown suite.
    """
    suite, _ = suite_of(task)
    module = importlib.import_module(f"{__package__}.{suite}")
    waiting, seen = [module.make], set()
    while waiting:
        function = waiting.pop(0)
        seen.add(function)
        if isinstance(function, functools.partial):
            function = function.func
        text = inspect.getdoc(function) or ""
        found = arguments(text).get(key, "")
        if found and not re.fullmatch(r"see `.+`\.", found):
            return found
        waiting += [other for other in named(text, function) if other not in seen]
    return ""


def arguments(text: str) -> dict[str, str]:
    """The phrases behind `Args:` of a docstring, by name of the argument."""
    section = re.search(r"^Args:\n((?:    .*\n?|\n)+)", text, re.MULTILINE)
    entries = re.findall(
        r"^    (\w+): (.*(?:\n {8}.*)*)", section[1] if section else "", re.MULTILINE
    )
    return {name: " ".join(words.split()) for name, words in entries}


def named(text: str, function: Callable) -> list[Callable]:
    """Functions that a docstring names as `module.make`, or as `finish` beside it."""
    found = []
    for name, attribute in re.findall(r"`(?:(\w+)\.)?(make|finish)`", text):
        place = f"{__package__}.{name}" if name else function.__module__
        found.append(getattr(importlib.import_module(place), attribute))
    return found
