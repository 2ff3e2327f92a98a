"""Your own environment: `my_module:make_env`, a function or class that gives one.

What it gives may be one of ours, of gymnasium, dm_env or TF-Agents; `adapters/` says
what becomes of it. The module is found as `import` finds it, or in the folder in which
the program was started. Arguments called `seed`, `index`, `evaluation` or `logdir` get
what `envs.make_env` says; all others are settings of `env:`.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import sys
import typing
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from dreamerv3_tf import values
from dreamerv3_tf.envs.adapters import Source, adapt
from dreamerv3_tf.envs.base import Env, EnvError
from dreamerv3_tf.envs.wrappers import ActionRepeat, ResizeImage, TimeLimit
from dreamerv3_tf.values import Count, Natural, Positive

TOLD = ("seed", "index", "evaluation", "logdir")
"""Arguments that the program gives, where the function has them."""

FREE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


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
    """One environment of a function or class.

    Args:
        name: `MODULE:NAME`, both may have dots.
        seed: of the environment.
        index: which of the parallel environments.
        evaluation: whether it is for evaluation.
        logdir: folder of the run that trains in it.
        options: arguments that only a `**kwargs` of the function takes.
        **settings: arguments of the function, and those of `finish` whose names it
            does not have.

    Raises:
        EnvError: there is no such function, it lacks an argument, or what it gives is
            no environment.
    """
    told = {"seed": seed, "index": index, "evaluation": evaluation, "logdir": logdir}
    return build(load(name), name, told, options, settings)


def build(
    create: Callable[..., Any],
    name: str,
    told: Mapping[str, Any],
    options: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> Env:
    """One environment of a function or class; see `make`.

    Args:
        create: the function or class.
        name: what it is called in messages.
        told: seed, index, evaluation and logdir.
        options: arguments that only a `**kwargs` of the function takes.
        settings: arguments of the function, and those of `finish` whose names it does
            not have.

    Raises:
        EnvError: it lacks an argument, or what it gives is no environment.
    """
    known = arguments(create)
    inner = {k: v for k, v in told.items() if k in _parameters(create)}
    inner |= {k: v for k, v in settings.items() if k in known}
    outer = {k: v for k, v in settings.items() if k not in known}
    return finish(_call(create, name, {**inner, **options}), told["seed"], **outer)


def finish(
    env: Any,
    seed: int,
    *,
    repeat: Count = 1,
    size: tuple[Count, ...] = (),
    length: Natural = 0,
    mask: Source = "auto",
    limit: Positive = 1.0,
) -> Env:
    """Any environment as one of ours, with what is often wanted around it.

    Args:
        env: of ours, gymnasium, dm_env or TF-Agents.
        seed: of its first episode, where it can be seeded after it was made.
        repeat: how often each action is taken; rewards are summed.
        size: height and width that pictures are resized to; empty leaves them.
        length: steps after which an episode is cut; 0 sets no limit.
        mask: where masks of actions come from: `auto`, a fitting observation
            `action_mask`; `info`, the `action_mask` of every info; `off`, nowhere.
        limit: bound of actions that have none of their own.

    Raises:
        EnvError: it is no environment, or something in it has no counterpart here.
    """
    if len(size) not in (0, 2):
        raise EnvError(f"env.size is {size}, expected height and width.")
    result = adapt(env, seed, mask=mask, limit=limit)
    result = TimeLimit(result, length) if length else result
    result = ActionRepeat(result, repeat) if repeat > 1 else result
    return ResizeImage(result, (size[0], size[1]), "box") if size else result


def settings(name: str) -> dict[str, inspect.Parameter]:
    """What the `env:` section may set; see `envs.env_settings`.

    Raises:
        EnvError: there is no such function.
    """
    return settings_of(load(name) if name else None)


def settings_of(create: Callable[..., Any] | None) -> dict[str, inspect.Parameter]:
    """What the `env:` section may set for a function; `None` for any function."""
    found = dict(inspect.signature(finish, eval_str=True).parameters)
    del found["env"], found["seed"]
    found["options"] = inspect.signature(make, eval_str=True).parameters["options"]
    return found | (arguments(create) if create else {})


def load(name: str) -> Callable[..., Any]:
    """The function or class of `MODULE:NAME`.

    Raises:
        EnvError: there is none.
    """
    module_name, _, path = name.partition(":")
    stem = module_name.removesuffix(".py").replace("/", ".").strip(".")
    if not path or stem != module_name:
        hint = f" Write {stem}:{path or 'make_env'}." if stem else ""
        raise EnvError(
            f"Task '{name}': expected MODULE:FUNCTION, such as my_module:make_env for "
            f"the function make_env of the file my_module.py.{hint}"
        )
    module = _import(module_name, name)
    found: Any = module
    for part in path.split("."):
        if not hasattr(found, part):
            close = difflib.get_close_matches(part, dir(found), n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise EnvError(f"Task '{name}': {module.__name__} has no '{part}'.{hint}")
        found = getattr(found, part)
    if not callable(found):
        raise EnvError(
            f"Task '{name}': {path} is a {type(found).__name__}; expected a function "
            "or class that gives an environment, since each process makes its own."
        )
    return found


def _import(module: str, name: str) -> Any:
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)  # last, so that nothing there hides what is installed
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and module.startswith(error.name):
            raise EnvError(
                f"Task '{name}': there is no module '{error.name}' in {here} or among "
                "the installed packages. Start the program in the folder of the file, "
                "or set PYTHONPATH."
            ) from error
        raise EnvError(
            f"Task '{name}': importing {module} needs the package '{error.name}', "
            "which is missing; install it."
        ) from error


def _parameters(create: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Parameters of a function or class, with types where they can be had."""
    try:
        return inspect.signature(create, eval_str=True).parameters
    except NameError:  # a type that is imported for type checkers only
        return inspect.signature(create).parameters
    except ValueError:  # written in C; called without arguments
        return {}


def seeded(create: Callable[..., Any], seed: int) -> dict[str, int]:
    """The argument `seed`, where a function or class has it."""
    return {"seed": seed} if "seed" in _parameters(create) else {}


def arguments(create: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Arguments that are settings; where the type is none of a setting, any value."""
    found = {}
    for key, parameter in _parameters(create).items():
        if key not in TOLD and parameter.kind not in FREE:
            found[key] = parameter.replace(annotation=_hint(parameter.annotation))
    return found


def _hint(hint: Any) -> Any:
    """The type that a setting is checked against; `Any` where it can't be checked."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is dict or origin in (dict, Mapping):
        return Mapping[str, Any]
    if origin is list:
        return _hint(tuple[args[0], ...])
    if origin is tuple:
        return hint if all(_is_plain(arg) for arg in args if arg is not ...) else Any
    return hint if _is_plain(hint) else Any


def _is_plain(hint: Any) -> bool:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _is_plain(args[0])
    return origin is Literal or isinstance(hint, type) and hint in values.CONVERTERS


def _call(create: Callable[..., Any], name: str, given: dict[str, Any]) -> Any:
    try:
        inspect.signature(create).bind(**given)
    except TypeError as error:
        known = ", ".join(arguments(create)) or "none"
        raise EnvError(
            f"Task '{name}': {error}; set it with env.NAME=VALUE, or give it a "
            f"default. Arguments that env may set: {known}."
        ) from error
    return create(**given)
