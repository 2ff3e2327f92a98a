"""Environments of a function that a program has: `given_NAME`, for the Python API.

Lambdas, and what a notebook or a script defines, can't be imported, so no other process
finds them. `register` keeps them under a name, as long as this process lives.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from dreamerv3_tf.envs import own
from dreamerv3_tf.envs.base import Env, EnvError

PREFIX = "given_"

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""What was registered, by name."""


def register(function: Callable[..., Any], task: str = "") -> str:
    """The task whose environments a function or class makes.

    It is `MODULE:NAME`, of the suite `own`, where that is how to import it.

    Args:
        function: as `own` has them, but it need not be importable.
        task: of an earlier run with the function, which may have had another name.
    """
    module = getattr(function, "__module__", None) or ""
    path = getattr(function, "__qualname__", type(function).__name__)
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    if found is function and module != "__main__":
        return f"{module}:{path}"
    name = re.sub(r"\W+", "_", path.rpartition(".")[2]).strip("_")
    if task.startswith(PREFIX):
        name = task.removeprefix(PREFIX)
    FUNCTIONS[name] = function
    return f"{PREFIX}{name}"


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    evaluation: bool = False,
    logdir: str | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    **settings,
) -> Env:
    """One environment of a function that was registered.

    Args:
        name: of the function.
        seed: of the environment.
        index: which of the parallel environments.
        evaluation: whether it is for evaluation.
        logdir: folder of the run that trains in it.
        options: see `own.make`.
        **settings: see `own.make`.

    Raises:
        EnvError: no such function here, or what it gives is no environment.
    """
    told = {"seed": seed, "index": index, "evaluation": evaluation, "logdir": logdir}
    return own.build(find(name), name, told, options, settings)


def settings(name: str) -> dict[str, inspect.Parameter]:
    """What the `env:` section may set; see `envs.env_settings`.

    Raises:
        EnvError: no such function here.
    """
    return own.settings_of(find(name) if name else None)


def parallel(settings: Mapping[str, Any]) -> str:
    """Other processes don't have the function."""
    del settings
    return "thread"


def find(name: str) -> Callable[..., Any]:
    """The function of a name.

    Raises:
        EnvError: no such function here.
    """
    if name not in FUNCTIONS:
        raise EnvError(
            f"Task 'given_{name}': a function '{name}' made these environments, and "
            "this process has none of that name. Give it as env_fn to "
            "dreamerv3_tf.train or dreamerv3_tf.load; run.parallel=process needs one "
            "that can be imported."
        )
    return FUNCTIONS[name]
