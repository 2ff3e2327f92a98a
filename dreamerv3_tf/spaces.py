"""What an observation or action entry looks like: shape, dtype and range."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Space:
    """Shape, dtype and range of one entry of an observation or action dict.

    Integer and boolean entries are *discrete*: `low` is the smallest value and `high`
    is exclusive, so an entry takes `high - low` values. A `uint8` entry of rank 3 is an
    *image* `[height, width, channels]`. Everything else is *continuous*; there `high`
    is inclusive and both bounds may be infinite.

    Args:
        dtype: numpy dtype of the entry.
        shape: shape of one entry, without batch or time axes.
        low: smallest value, a scalar or an array of shape `shape`.
        high: bound of the largest value (exclusive for discrete entries).

    Raises:
        ValueError: a discrete entry that is neither boolean nor an image has no range,
            or a range is empty.
    """

    dtype: np.dtype
    shape: tuple[int, ...] = ()
    low: Any = None  # array `shape` once made
    high: Any = None  # array `shape` once made

    def __post_init__(self):
        dtype = np.dtype(self.dtype)
        shape = tuple(int(size) for size in self.shape)
        low, high = self.low, self.high
        if dtype == np.dtype(bool):
            low, high = 0, 2
        elif dtype == np.uint8 and len(shape) == 3 and low is None and high is None:
            low, high = 0, 256
        elif np.issubdtype(dtype, np.integer) and (low is None or high is None):
            raise ValueError(
                f"A space of dtype {dtype} and shape {shape} needs low and high "
                "(exclusive), so that the number of classes is known."
            )
        low = -np.inf if low is None else low
        high = np.inf if high is None else high
        kind = np.float64 if np.issubdtype(dtype, np.floating) else np.int64
        low = np.broadcast_to(np.asarray(low, kind), shape)
        high = np.broadcast_to(np.asarray(high, kind), shape)
        if not (low < high).all():
            raise ValueError(f"Empty range: low {low} is not below high {high}.")
        for name, value in dict(dtype=dtype, shape=shape, low=low, high=high).items():
            object.__setattr__(self, name, value)

    @property
    def image(self) -> bool:
        """Whether the entry is a picture `uint8 [height, width, channels]`."""
        return self.dtype == np.uint8 and len(self.shape) == 3

    @property
    def discrete(self) -> bool:
        """Whether the entry takes finitely many values and is no image."""
        return not self.image and not np.issubdtype(self.dtype, np.floating)

    @property
    def classes(self) -> tuple[int, ...]:
        """Number of values of each element, in row-major order.

        Raises:
            ValueError: the space is continuous or an image.
        """
        if not self.discrete:
            raise ValueError(f"{self} has no classes.")
        return tuple(int(count) for count in (self.high - self.low).reshape(-1))

    @property
    def size(self) -> int:
        """Number of elements of one entry."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """Bytes of one entry."""
        return self.size * self.dtype.itemsize

    def sample(self, rng: np.random.Generator) -> np.ndarray:
        """One uniformly random entry; unbounded sides are cut at -1 and 1."""
        if self.discrete or self.image:
            return rng.integers(self.low, self.high, self.shape).astype(self.dtype)
        low = np.where(np.isfinite(self.low), self.low, -1.0)
        high = np.where(np.isfinite(self.high), self.high, 1.0)
        return rng.uniform(low, high, self.shape).astype(self.dtype)

    def problem(self, value) -> str | None:
        """What is wrong with `value` as an entry of this space, or `None`."""
        value = np.asarray(value)
        if value.dtype != self.dtype:
            return f"dtype is {value.dtype}, expected {self.dtype}"
        if value.shape != self.shape:
            return f"shape is {value.shape}, expected {self.shape}"
        if self.image:
            return None
        if np.isnan(value).any():
            return "it contains NaN"
        above = value >= self.high if self.discrete else value > self.high
        if (value < self.low).any() or above.any():
            end = ")" if self.discrete else "]"
            return (
                f"values {value.min()} to {value.max()} leave the range "
                f"[{self.low.min()}, {self.high.max()}{end}"
            )
        return None

    def __repr__(self) -> str:
        text = f"Space({self.dtype}, {self.shape}"
        if self.discrete:
            counts = sorted(set(self.classes))
            text += f", classes={counts[0] if len(counts) == 1 else self.classes}"
        return text + ")"


def find_masks(
    obs: Mapping[str, Space], act: Mapping[str, Space]
) -> dict[str, tuple[str, Space]]:
    """Observations that say which classes of a discrete action are allowed.

    Such an observation is called `ACTION_mask` and is bool `[*shape, C]`, where `shape`
    is that of the action and `C` the largest number of classes of its elements.

    Args:
        obs: spaces of the observation.
        act: spaces of the actions.

    Returns:
        For each action that has one: the key of its mask, and the mask's space.

    Raises:
        ValueError: an observation of such a name looks otherwise.
    """
    found = {}
    for key, space in act.items():
        name = f"{key}_mask"
        if name not in obs or not space.discrete:
            continue
        shape = (*space.shape, max(space.classes))
        if obs[name].dtype != np.dtype(bool) or obs[name].shape != shape:
            raise ValueError(
                f"The observation '{name}' is {obs[name]}, expected bool of shape "
                f"{shape}: it says which classes of the action '{key}' are allowed. "
                "Rename it if it means something else."
            )
        found[key] = name, obs[name]
    return found


def split_inputs(
    spaces: Mapping[str, Space],
) -> tuple[dict[str, Space], dict[str, Space]]:
    """Vector spaces and image spaces, in the given order.

    Raises:
        ValueError: there is none, or an entry is neither vector nor image.
    """
    if not spaces:
        raise ValueError("The observation has no key that an encoder could read.")
    images = {key: space for key, space in spaces.items() if space.image}
    vectors = {key: space for key, space in spaces.items() if not space.image}
    for key, space in vectors.items():
        if len(space.shape) > 2:
            raise ValueError(
                f"Observation '{key}' has shape {space.shape} and dtype {space.dtype}. "
                "An input of rank 3 must be an image of dtype uint8 [height, width, "
                "channels]; flatten anything else to rank 2 or less."
            )
    return vectors, images


def image_size(images: Mapping[str, Space], stages: int) -> tuple[int, int]:
    """Common height and width of the images, in pixels.

    Raises:
        ValueError: sizes differ, or do not leave a grid of 3 to 16 cells a side after
            halving `stages` times.
    """
    sizes = {key: space.shape[:2] for key, space in images.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(
            f"Images must all have one size, but these differ: {sizes}. Resize them, "
            "for example with env.size=64,64."
        )
    key, (height, width) = next(iter(sizes.items()))
    step = 2**stages
    for side in (height, width):
        if side % step or not 3 <= side // step <= 16:
            raise ValueError(
                f"Image '{key}' is {height} × {width} pixels. Each side must be a "
                f"multiple of {step} between {3 * step} and {16 * step}. Resize the "
                "image, for example with env.size=64,64 or env.size=96,96."
            )
    return height, width
