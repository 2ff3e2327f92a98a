"""Which actions are allowed, as other libraries say it.

An observation entry called `action_mask` (or `KEY_mask` beside an action `KEY` of a
dict), of integers or booleans, is the mask of that action where its shape fits. Or the
`info` of each reset and step has it, under `action_mask`, in the form that the `sample`
of the action space takes. The forms of a mask:

    one discrete action      [classes]
    several in one array     [*shape, most classes], or all one behind the other
    several of them          a tuple of one mask for each, of any lengths

What is not zero is allowed. Where nothing is allowed, everything is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from dreamerv3_tf.envs.adapters.leaves import Leaf, Leaves
from dreamerv3_tf.envs.base import EnvError, Obs
from dreamerv3_tf.spaces import Space

INFO = "action_mask"

Source = Literal["auto", "info", "off"]
"""Where masks come from: fitting observations, the info, or nowhere."""


def mask_space(space: Space) -> Space:
    """Space of the mask of a discrete action, as `spaces.find_masks` wants it."""
    return Space(np.dtype(bool), (*space.shape, max(space.classes)))


def read_mask(value: Any, space: Space) -> np.ndarray:
    """A mask as bool `[*shape, C]` of the action's shape and classes.

    Args:
        value: in one of the forms of the module.
        space: of the action.

    Raises:
        ValueError: it has no such form.
    """
    if isinstance(value, Sequence):
        lengths = {np.size(part) for part in value}
        if len(lengths) > 1:
            value = np.concatenate([np.ravel(part) for part in value])
    mask, shape = np.asarray(value) != 0, mask_space(space).shape
    classes = space.classes
    valid = np.arange(shape[-1]) < np.reshape(classes, (*space.shape, 1))
    if mask.shape == shape:
        return mask & valid
    if mask.shape == (sum(classes),):
        whole = np.zeros(shape, bool)
        whole[valid] = mask
        return whole
    raise ValueError(
        f"its shape is {mask.shape}, expected {shape}"
        + (f" or ({sum(classes)},)" if space.shape else "")
    )


def adopt(seen: Leaves, chosen: Leaves, source: Source) -> Leaves:
    """Leaves of the observation, with those that are masks as masks.

    Entries of such a name that are none get `obs_` before it, so that nothing here
    takes them for masks.

    Args:
        seen: leaves of the observation.
        chosen: leaves of the action.
        source: where masks come from.
    """
    names = {f"{key}_mask": leaf.space for key, leaf in chosen.items()}
    found: Leaves = {}
    for key, leaf in seen.items():
        action = names.get(key)
        if action is None:
            found[key] = leaf
        elif source == "auto" and action.discrete and _fits(leaf, action):
            found[key] = _as_mask(leaf, action)
        else:
            found[f"obs_{key}"] = leaf
    return found


def _fits(leaf: Leaf, action: Space) -> bool:
    shapes = (mask_space(action).shape, (sum(action.classes),))
    return leaf.entry.dtype.kind in "biu" and leaf.entry.shape in shapes


def _as_mask(leaf: Leaf, action: Space) -> Leaf:
    def encode(value: Any) -> np.ndarray:
        return read_mask(value, action)

    return leaf._replace(space=mask_space(action), encode=encode)


class InfoMasks:
    """Masks in the `info` of gymnasium.

    Args:
        chosen: leaves of the action.
        task: what the environment is called in messages.

    Raises:
        EnvError: no action is discrete.
    """

    def __init__(self, chosen: Leaves, task: str):
        self.leaves = {k: leaf for k, leaf in chosen.items() if leaf.space.discrete}
        self.task = task
        self.spaces = {
            f"{key}_mask": mask_space(leaf.space) for key, leaf in self.leaves.items()
        }
        if not self.leaves:
            raise EnvError(
                f"env.mask is 'info', but no action of {task} is discrete; leave it "
                "'auto'."
            )

    def read(self, info: Mapping[str, Any], where: str, last: bool = False) -> Obs:
        """The masks of an info; all is allowed where an episode is over.

        Raises:
            EnvError: the info has none, or it doesn't fit the action.
        """
        if INFO not in info and not last:
            has = ", ".join(map(str, info)) or "nothing"
            raise EnvError(
                f"env.mask is 'info', but the info of {where} of {self.task} has no "
                f"'{INFO}' (it has {has}); put it into every info, or set env.mask=off."
            )
        masks, found = info.get(INFO), {}
        for key, leaf in self.leaves.items():
            value = _part(masks, leaf.path)
            if value is None:
                space = leaf.space
                value = np.ones(sum(space.classes), bool)
            try:
                found[f"{key}_mask"] = read_mask(value, leaf.space)
            except ValueError as error:
                raise EnvError(
                    f"The '{INFO}' that the info of {where} of {self.task} has for "
                    f"the action '{key}' doesn't fit: {error}."
                ) from error
        return found


def _part(masks: Any, path: tuple) -> Any:
    """The mask of one action of a nest; `None` where there is none."""
    for part in path:
        if masks is None:
            return None
        masks = masks.get(part) if isinstance(masks, Mapping) else masks[part]
    return masks
