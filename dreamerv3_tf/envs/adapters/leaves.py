"""Entries of nested observations and actions, and their counterparts here.

Other libraries nest dicts, lists and tuples; here observations and actions are flat
dicts. What becomes of an entry depends on its shape, dtype and bounds alone:

    booleans, few integers   int32, counted from 0 whatever their smallest value
    pictures                 uint8 [height, width, channels]
    other numbers seen       float32; ranks above 2 become 1
    numbers to be chosen     float32 of the same shape; sides without a bound are cut

A picture has two neighbouring axes of `SIDE` or more; its other axes, channels or a
stack of frames, before or behind, become channels. Its values are scaled from their
bounds to 0 to 255, so they need bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from dreamerv3_tf.envs.base import Action, EnvError, Obs
from dreamerv3_tf.envs.finding import Finding
from dreamerv3_tf.spaces import Space

FLOAT, INT = np.dtype(np.float32), np.dtype(np.int32)

SIDE = 32
"""Smallest height and width of a picture in pixels; smaller grids are vectors."""

MANY = 4096
"""Longest one-hot code (elements times classes) of integers that are seen."""

MOST = 65536
"""The same for integers that are chosen."""

ENDLESS = 1e30
"""A bound as large as this, such as the largest float, is none."""

LARGEST = np.finfo(FLOAT).max

Path = tuple[Any, ...]


class Entry(NamedTuple):
    """What a library says about one array.

    Attributes:
        dtype: of its values.
        shape: of the array.
        low: smallest values, as an array of `shape`.
        high: largest values, inclusive.
        give: turns an array of `dtype` into what the library wants for an action.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    low: np.ndarray
    high: np.ndarray
    give: Callable[[np.ndarray], Any] = np.asarray


class Leaf(NamedTuple):
    """An entry, its place in the nest, and its counterpart here.

    Attributes:
        path: keys and indices that lead to it.
        space: what it looks like here.
        encode: from the library's value to an array of `space`.
        decode: from an array of `space` to the library's value.
        entry: what the library says about it.
    """

    path: Path
    space: Space
    encode: Callable[[Any], np.ndarray]
    decode: Callable[[np.ndarray], Any]
    entry: Entry


Leaves = dict[str, Leaf]


def flatten(
    nest: Any,
    describe: Callable[[Any], Entry],
    name: str,
    taken: tuple[str, ...],
    *,
    observed: bool,
    limit: float = 1.0,
) -> Leaves:
    """Leaves of a nest of spaces by their flat keys, joined by underscores.

    Args:
        nest: dicts, lists and tuples of spaces of the library.
        describe: what the library says about one of them; raises `ValueError` for one
            without a counterpart.
        name: key of a space that is not in a dict, and first part of the keys of a
            list; a picture by itself is called `image`.
        taken: keys that are used already; a leaf of that name gets `obs_` or `act_`
            before it.
        observed: whether it is an observation; those without elements are left out.
        limit: for actions, the bound of sides that have none.

    Raises:
        EnvError: a space has no counterpart, or two leaves get the same key.
    """
    leaves: Leaves = {}
    for path, space in walk(nest):
        key = "_".join(str(part) for part in path).replace("/", "_")
        if not path or isinstance(path[0], int):
            key = f"{name}_{key}" if key else name
        try:
            leaf = make_leaf(path, describe(space), observed, limit)
        except ValueError as error:
            kind = "observation" if observed else "action"
            raise EnvError(f"The {kind} '{key}', {space}: {error}") from error
        if observed and not leaf.space.size:
            continue
        key = "image" if not path and leaf.space.image else key
        key = ("obs_" if observed else "act_") + key if key in taken else key
        if key in leaves:
            raise EnvError(
                f"Two entries of the space are both called '{key}' once their names "
                "are joined with underscores; rename one of them in the environment."
            )
        leaves[key] = leaf
    return leaves


def walk(nest: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Places and entries of all that is no dict, list or tuple."""
    if isinstance(nest, Mapping):
        for key, inner in nest.items():
            yield from walk(inner, (*path, key))
    elif isinstance(nest, list | tuple):
        for index, inner in enumerate(nest):
            yield from walk(inner, (*path, index))
    else:
        yield path, nest


def encode(leaves: Leaves, value: Any) -> Obs:
    """Flat observation of a nested one.

    Raises:
        EnvError: it lacks an entry of the space, or one has another shape.
    """
    obs = {}
    for key, leaf in leaves.items():
        try:
            obs[key] = leaf.encode(find(value, leaf.path))
        except (LookupError, TypeError, ValueError) as error:
            entry = leaf.entry
            raise EnvError(
                f"The observation's '{key}' is not as its space says, {entry.dtype} of "
                f"shape {entry.shape}: {type(error).__name__}: {error}."
            ) from error
    return obs


def find(value: Any, path: Path) -> Any:
    """The entry of a nest at a place."""
    for part in path:
        value = value[part]
    return value


def decode(nest: Any, leaves: Leaves, action: Action) -> Any:
    """Nested action of a flat one; `nest` has the spaces of the library."""
    chosen = {leaf.path: leaf.decode(action[key]) for key, leaf in leaves.items()}
    return _fill(nest, (), chosen)


def _fill(nest: Any, path: Path, chosen: dict[Path, Any]) -> Any:
    if isinstance(nest, Mapping):
        return {key: _fill(sub, (*path, key), chosen) for key, sub in nest.items()}
    if isinstance(nest, list | tuple):
        items = [_fill(sub, (*path, i), chosen) for i, sub in enumerate(nest)]
        named = hasattr(nest, "_fields")
        return type(nest)(*items) if named else type(nest)(items)
    return chosen[path]


def make_leaf(path: Path, entry: Entry, observed: bool, limit: float) -> Leaf:
    """The counterpart of an entry; see the module.

    Raises:
        ValueError: it has none.
    """
    kind = entry.dtype.kind
    if kind not in "biuf":
        raise ValueError(f"values of dtype {entry.dtype} are no numbers.")
    if not observed and 0 in entry.shape:
        raise ValueError("it has no elements, so there is nothing to choose.")
    axes = picture_axes(entry.shape) if observed else None
    bytes_ = entry.dtype == np.uint8 and _has_range(entry, 0, 255)
    if axes and bytes_:
        return _picture(path, entry, axes)
    if kind in "biu" and _length(entry) <= (MANY if observed else MOST):
        return _classes(path, entry, observed)
    if axes and _is_even(entry):
        return _picture(path, entry, axes)
    if axes and kind == "f" and len(entry.shape) > 2:
        raise ValueError(
            "it looks like a picture without bounds, so its brightness is not known; "
            "give its space bounds such as 0 and 1, or flatten it to one axis."
        )
    if observed:
        return _vector(path, entry)
    if kind == "f":
        return _control(path, entry, limit)
    raise ValueError(
        f"its integers have more than {MOST:,} values together, too many classes."
    )


def limit_findings(leaves: Leaves, limit: float) -> list[Finding]:
    """Actions that lack bounds, which is worth knowing."""
    keys = [k for k, leaf in leaves.items() if _is_cut(leaf)]
    if not keys:
        return []
    return [
        Finding(
            "actions",
            False,
            f"{', '.join(keys)}: no bounds of their own, so they end at ±{limit:g}",
            "Give the space bounds, or set env.limit to what the environment can use.",
            needed=False,
        )
    ]


def _is_cut(leaf: Leaf) -> bool:
    low, high = leaf.entry.low, leaf.entry.high
    floats = leaf.entry.dtype.kind == "f"
    return floats and bool((low <= -ENDLESS).any() or (high >= ENDLESS).any())


def picture_axes(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Axes of height and width, or `None` where it is no picture."""
    large = [axis for axis, size in enumerate(shape) if size >= SIDE]
    large = large[:2] if len(shape) == 3 else large
    if len(shape) > 4 or len(large) != 2 or large[1] != large[0] + 1:
        return None
    return large[0], large[1]


def _has_range(entry: Entry, low: float, high: float) -> bool:
    return bool((entry.low == low).all() and (entry.high == high).all())


def _is_even(entry: Entry) -> bool:
    """Whether all elements have the same, finite bounds."""
    low, high = float(entry.low.flat[0]), float(entry.high.flat[0])
    return -ENDLESS < low < high < ENDLESS and _has_range(entry, low, high)


def _length(entry: Entry) -> int:
    """Length of the one-hot code of integers."""
    high, low = (np.ravel(side).astype(object) for side in (entry.high, entry.low))
    return int(np.sum(high - low + 1))


def _flat(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of what the encoder reads as a vector, of rank 2 at most."""
    return shape if len(shape) <= 2 else (int(np.prod(shape)),)


def _classes(path: Path, entry: Entry, observed: bool) -> Leaf:
    start = entry.low.astype(np.int64)
    count = entry.high.astype(np.int64) - start + 1
    shape = _flat(entry.shape) if observed else entry.shape
    space = Space(INT, shape, 0, count.reshape(shape))

    def encode(value: Any) -> np.ndarray:
        counted = np.asarray(value).astype(np.int64) - start
        return counted.astype(INT).reshape(shape)

    def decode(value: np.ndarray) -> Any:
        return entry.give(np.asarray(value + start, entry.dtype))

    return Leaf(path, space, encode, decode, entry)


def _vector(path: Path, entry: Entry) -> Leaf:
    # Observations stray from their stated bounds too often to insist on them, and
    # nothing needs the bounds.
    shape = _flat(entry.shape)

    def encode(value: Any) -> np.ndarray:
        with np.errstate(over="ignore"):
            value = np.asarray(value, FLOAT).reshape(shape)
        # An infinite distance is a large one; NaN stays NaN and is refused.
        return np.clip(value, -LARGEST, LARGEST)

    return Leaf(path, Space(FLOAT, shape), encode, lambda value: value, entry)


def _control(path: Path, entry: Entry, limit: float) -> Leaf:
    low = np.where(entry.low <= -ENDLESS, -limit, entry.low.astype(np.float64))
    high = np.where(entry.high >= ENDLESS, limit, entry.high.astype(np.float64))
    if not (low < high).all():
        raise ValueError(
            f"cut at ±{limit:g} where it has no bound, nothing is left between "
            f"{low.max():g} and {high.min():g}; set a larger env.limit, or give the "
            "space both bounds."
        )

    def decode(value: np.ndarray) -> Any:
        # float32 can't represent every bound of a float64 and may lie above it.
        value = np.clip(value.astype(np.float64), low, high).astype(entry.dtype)
        return entry.give(np.asarray(value))

    def encode(value: Any) -> np.ndarray:
        return np.array(value, FLOAT)

    return Leaf(path, Space(FLOAT, entry.shape, low, high), encode, decode, entry)


def _picture(path: Path, entry: Entry, axes: tuple[int, int]) -> Leaf:
    height, width = (entry.shape[axis] for axis in axes)
    channels = int(np.prod(entry.shape)) // (height * width)
    low, high = float(entry.low.flat[0]), float(entry.high.flat[0])
    bytes_ = entry.dtype == np.uint8 and (low, high) == (0, 255)

    def encode(value: Any) -> np.ndarray:
        value = np.moveaxis(np.asarray(value), axes, (0, 1))
        value = value.reshape(height, width, channels)
        if not bytes_:
            value = (value.astype(np.float64) - low) / (high - low)
            value = np.rint(np.clip(value, 0, 1) * 255)
        return np.array(value, np.uint8, order="C")

    space = Space(np.dtype(np.uint8), (height, width, channels))
    return Leaf(path, space, encode, lambda value: value, entry)
