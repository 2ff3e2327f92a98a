"""What environments of the suite remember, as arrays.

They are plain objects, around one another in the attribute `_env`, whose attributes are
numbers, arrays, tuples of numbers and random states; whatever else they hold never
changes. Pickle would take more than that and still fails on one of them, which holds a
function, and reading a pickle may run code.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dreamerv3_tf.envs.base import State

CONSTANT = ("_images", "_labels")
"""The data of MNIST: large, and the same in every environment."""


def parts(env: Any) -> Iterator[Any]:
    """The environment and what it is wrapped around, from the outside in."""
    while env is not None:
        yield env
        env = vars(env).get("_env")


def reseed(env: Any, seed: int) -> None:
    """Starts all random states from a seed, each in a stream of its own."""
    for place, part in enumerate(parts(env)):
        if random := vars(part).get("_rng"):
            words = np.random.SeedSequence((seed, place)).generate_state(1)
            random.seed(int(words[0]))


def collect(env: Any) -> State:
    """All that changes, by `PLACE/ATTRIBUTE`; attributes that are `None` are absent."""
    state: State = {}
    for place, part in enumerate(parts(env)):
        for name, value in vars(part).items():
            key = f"{place}/{name}"
            if isinstance(value, np.random.RandomState):
                _, words, position, has_gauss, gauss = value.get_state(legacy=True)
                state[key] = np.array(words, np.uint32)
                state[f"{key}/rest"] = np.array([position, has_gauss, gauss], float)
            elif name not in CONSTANT and is_plain(value):
                state[key] = np.array(value)
    return state


def give(env: Any, state: State) -> None:
    """Lets an environment of the same configuration go on from `collect`."""
    for place, part in enumerate(parts(env)):
        for name, value in vars(part).items():
            key = f"{place}/{name}"
            if isinstance(value, np.random.RandomState):
                position, has_gauss, gauss = state[f"{key}/rest"].tolist()
                words = np.array(state[key], np.uint32)
                random = "MT19937", words, int(position), int(has_gauss), gauss
                value.set_state(random)
            elif name not in CONSTANT and (value is None or is_plain(value)):
                setattr(part, name, revived(value, state.get(key)))


def is_plain(value: Any) -> bool:
    """Whether a value is a number, an array of them, or a named tuple of numbers."""
    numbers = bool, int, float, np.generic, np.ndarray
    return isinstance(value, numbers) or hasattr(value, "_fields")


def revived(old: Any, saved: np.ndarray | None) -> Any:
    """A saved value in the form that the attribute has."""
    if saved is None:
        return None
    if hasattr(old, "_fields"):
        return type(old)(*saved.tolist())
    return saved.copy() if saved.ndim else saved.item()
