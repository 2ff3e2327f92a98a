"""What the two real games have in common: they break down, and lack a display."""

from __future__ import annotations

import collections
import time
from collections.abc import Mapping

import numpy as np

from dreamerv3_tf.envs.base import EnvError


class Losses:
    """Counts how often a game was lost, and gives up when it is too often.

    Args:
        backend: name of the backend, for the message.
        limit: losses in `window` that are put up with.
        window: seconds.
    """

    def __init__(self, backend: str, limit: int = 5, window: float = 1800.0):
        self.backend, self.limit, self.window = backend, limit, window
        self.times: collections.deque[float] = collections.deque()

    def note(self, reason: str) -> None:
        """Takes note of a loss.

        Raises:
            EnvError: it is one too many.
        """
        now = time.monotonic()
        self.times.append(now)
        while self.times[0] < now - self.window:
            self.times.popleft()
        if len(self.times) > self.limit:
            raise EnvError(
                f"The backend '{self.backend}' lost its game {len(self.times)} times "
                f"within {self.window / 60:.0f} minutes, at last by: {reason}\n"
                "Try it alone: --mode check_env --task minecraft --backend "
                f"{self.backend}"
            )


def resized(image: np.ndarray, size: int) -> np.ndarray:
    """A picture for people in the size they ask for, by nearest pixels.

    Args:
        image: uint8 `[H, W, 3]`.
        size: height and width, pixels.
    """
    rows = np.arange(size) * image.shape[0] // size
    columns = np.arange(size) * image.shape[1] // size
    return image[rows][:, columns]


class ClosedGame:
    """A game whose state can't be taken out of it, and whose display is hidden.

    Attributes:
        name: of the backend.
    """

    name: str

    def image(self) -> np.ndarray | None:
        """What the agent saw last, uint8 `[H, W, 3]`; `None` before an episode."""
        raise NotImplementedError

    def picture(self, size: int) -> np.ndarray:
        """What the agent sees, enlarged.

        Raises:
            EnvError: no episode has begun.
        """
        image = self.image()
        if image is None:
            raise EnvError("There is no picture before the first episode begins.")
        return resized(image, size)

    def snapshot(self) -> dict[str, np.ndarray]:
        """Raises an error.

        Raises:
            EnvError: the state is inside of Minecraft.
        """
        raise self._closed()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Raises an error.

        Raises:
            EnvError: the state is inside of Minecraft.
        """
        del state
        raise self._closed()

    def _closed(self) -> EnvError:
        return EnvError(
            f"The backend '{self.name}' can't save its state, for it is inside of "
            "Minecraft: an episode can't be resumed in the middle, only a new one can "
            "begin."
        )
