"""Spaces of gymnasium and their counterparts here.

    Discrete, MultiDiscrete   int32, counted from 0 whatever their start
    MultiBinary, boolean Box  int32 of two classes
    Box of uint8, 0 to 255    a picture [H, W, C] where it has 2 or 3 axes
    other integer Box         int32, counted from its low; float32 if it has many values
    float Box                 float32 of the same shape
    Dict, Tuple               one key for each leaf, joined by underscores

Text, Graph, Sequence, OneOf and the like have no fixed shape and are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dreamerv3_tf.envs.base import Action, EnvError, Obs
from dreamerv3_tf.spaces import Space

FLOAT, INT = np.dtype(np.float32), np.dtype(np.int32)

MANY = 4096
"""Largest one-hot code (elements times classes) of an integer Box."""


class Leaf(NamedTuple):
    """One entry of a flat dict and its place in the nested original.

    Attributes:
        path: keys and indices that lead to it.
        space: what it looks like here.
        encode: from the original's value to an array of `space`.
        decode: from an array of `space` to the original's value.
    """

    path: tuple[str | int, ...]
    space: Space
    encode: Callable[[Any], np.ndarray]
    decode: Callable[[np.ndarray], Any]


def flatten(
    space: Any, name: str, taken: tuple[str, ...], observed: bool
) -> dict[str, Leaf]:
    """Leaves of a nested space by their flat keys.

    Args:
        space: of gymnasium.
        name: key of a space that is no Dict, and first part of a Tuple's keys; a
            picture by itself is called `image`.
        taken: keys that are used already; a leaf of that name gets `obs_` or `act_`
            before it.
        observed: whether it is an observation, whose floats have no bounds here.

    Raises:
        EnvError: a space has no counterpart, or two leaves get the same key.
    """
    leaves: dict[str, Leaf] = {}
    for path, inner in _walk(space, ()):
        key = "_".join(str(part) for part in path).replace("/", "_")
        if not path or isinstance(path[0], int):
            key = f"{name}_{key}" if key else name
        leaf = _leaf(inner, path, key, observed)
        key = "image" if not path and leaf.space.image else key
        key = ("obs_" if observed else "act_") + key if key in taken else key
        if key in leaves:
            raise EnvError(
                f"Two entries of the space are both called '{key}' once their names "
                "are joined with underscores; rename one of them in the environment."
            )
        leaves[key] = leaf
    return leaves


def encode(leaves: dict[str, Leaf], value: Any) -> Obs:
    """Flat observation of a nested one."""
    obs = {}
    for key, leaf in leaves.items():
        inner = value
        for part in leaf.path:
            inner = inner[part]
        obs[key] = leaf.encode(inner)
    return obs


def decode(space: Any, leaves: dict[str, Leaf], action: Action) -> Any:
    """Nested action of a flat one, as `space` of gymnasium wants it."""
    values = {leaf.path: leaf.decode(action[key]) for key, leaf in leaves.items()}
    return _nest(space, (), values)


def _walk(space: Any, path: tuple[str | int, ...]):
    kind = type(space).__name__
    if kind == "Dict":
        for key, inner in space.spaces.items():
            yield from _walk(inner, (*path, key))
    elif kind == "Tuple":
        for index, inner in enumerate(space.spaces):
            yield from _walk(inner, (*path, index))
    else:
        yield path, space


def _nest(space: Any, path: tuple[str | int, ...], values: dict) -> Any:
    kind = type(space).__name__
    if kind == "Dict":
        inner = space.spaces.items()
        return {key: _nest(sub, (*path, key), values) for key, sub in inner}
    if kind == "Tuple":
        inner = enumerate(space.spaces)
        return tuple(_nest(sub, (*path, index), values) for index, sub in inner)
    return values[path]


def _leaf(space: Any, path: tuple, key: str, observed: bool) -> Leaf:
    kind = type(space).__name__
    try:
        if kind == "Discrete":
            return _discrete(path, space.n, space.start, ())
        if kind == "MultiDiscrete":
            return _discrete(path, space.nvec, space.start, space.shape, space.dtype)
        if kind == "MultiBinary":
            return _discrete(path, 2, 0, space.shape, space.dtype)
        if kind == "Box":
            return _box(space, path, observed)
    except ValueError as error:
        raise EnvError(f"The space of '{key}', {space}: {error}") from error
    raise EnvError(
        f"The space of '{key}' is {space}; a {kind} has no fixed shape and no "
        "counterpart here. Wrap the environment so that it gives a Box, Discrete, "
        "MultiDiscrete, MultiBinary, or a Dict or Tuple of these."
    )


def _discrete(path: tuple, count: Any, start: Any, shape: tuple, dtype=None) -> Leaf:
    start = np.asarray(start)
    space = Space(INT, shape, 0, np.asarray(count))

    def encode(value: Any) -> np.ndarray:
        return np.asarray(np.asarray(value) - start, INT)

    def decode(value: np.ndarray) -> Any:
        value = value + start
        return int(value) if dtype is None else value.astype(dtype)

    return Leaf(path, space, encode, decode)


def _box(space: Any, path: tuple, observed: bool) -> Leaf:
    kind = space.dtype.kind
    if kind == "b":
        return _discrete(path, 2, 0, space.shape, space.dtype)
    if kind == "f":
        return _continuous(space, path, observed)
    if observed and _is_picture(space):
        return _picture(space, path)
    counts = space.high.astype(object) - space.low.astype(object) + 1
    if sum(np.asarray(counts, object).reshape(-1)) <= MANY:
        count = np.asarray(counts, np.int64)
        return _discrete(
            path, count, space.low.astype(np.int64), space.shape, space.dtype
        )
    if observed:
        return _continuous(space, path, observed)
    raise ValueError(
        f"its integers have more than {MANY} values, too many classes for an action."
    )


def _continuous(space: Any, path: tuple, observed: bool) -> Leaf:
    # Observations stray from their stated bounds too often to insist on them, and
    # nothing needs the bounds; actions are scaled by them.
    bounds = () if observed else (space.low, space.high)

    def encode(value: Any) -> np.ndarray:
        return np.array(value, FLOAT)

    def decode(value: np.ndarray) -> np.ndarray:
        return value.astype(space.dtype)

    return Leaf(path, Space(FLOAT, space.shape, *bounds), encode, decode)


def _is_picture(space: Any) -> bool:
    whole = (space.low == 0).all() and (space.high == 255).all()
    return space.dtype == np.uint8 and len(space.shape) in (2, 3) and bool(whole)


def _picture(space: Any, path: tuple) -> Leaf:
    shape = space.shape
    first = len(shape) == 3 and shape[0] in (1, 3, 4) and shape[2] not in (1, 3, 4)

    def encode(value: Any) -> np.ndarray:
        value = np.array(value, np.uint8)
        value = value[:, :, None] if value.ndim == 2 else value
        return np.ascontiguousarray(value.transpose(1, 2, 0)) if first else value

    if len(shape) == 2:
        shape = (*shape, 1)
    elif first:  # channels come first
        shape = (*shape[1:], shape[0])
    return Leaf(path, Space(np.dtype(np.uint8), shape), encode, lambda value: value)
