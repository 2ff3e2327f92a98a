"""A game in progress: the environment, what the player holds, and the recording."""

from __future__ import annotations

import collections
import contextlib
import pathlib
from typing import Any

import numpy as np

from dreamerv3_tf.envs import Env
from dreamerv3_tf.envs.minecraft.actions import NAMES
from dreamerv3_tf.envs.minecraft.items import INVENTORY
from dreamerv3_tf.envs.minecraft.vectors import INDEX, MILESTONES
from dreamerv3_tf.replay.replay import Replay

CAPACITY = 1_000_000  # steps of a recording
SHOWN = 24  # kinds of items in the list


class Recording:
    """Episodes in the format of the replay, as training would have stored them.

    Args:
        folder: of the replay; goes on with what is there.
        env: whose steps are stored.
    """

    def __init__(self, folder: pathlib.Path, env: Env):
        self.replay = Replay(
            folder,
            {**env.obs_space, **env.act_space},
            streams=1,
            length=65,
            context=0,
            capacity=CAPACITY,
        )

    def add(self, obs: dict[str, np.ndarray], action: int) -> None:
        """Stores an observation and what was done after it."""
        step = {**obs, "action": np.int32(action)}
        self.replay.add({key: np.asarray(value)[None] for key, value in step.items()})

    def close(self) -> None:
        """Leaves the files whole."""
        self.replay.close()


class Game:
    """What the player does to the environment, tick by tick.

    Of the keys that are held at the same time each gets its turn, since the task takes
    one action a tick; what was pressed once comes first.

    Args:
        env: a `minecraft_*` environment.
        record: folder to record into; `None` records nothing.
    """

    def __init__(self, env: Env, record: pathlib.Path | None = None):
        self.env = env
        self.count = int(np.asarray(env.act_space["action"].high))
        self.recording = Recording(record, env) if record else None
        self.held: list[int] = []
        self.pressed: collections.deque[int] = collections.deque(maxlen=8)
        self.turn = 0
        self.episodes = 0
        self.obs: dict[str, np.ndarray] = {}
        self.score, self.steps, self.last = 0.0, 0, ""
        self.begin()

    def begin(self) -> None:
        """A new episode; one that is under way stays in the recording as it is."""
        if self.obs and self.recording:
            self.recording.add(self.obs, 0)
        self.obs = self.env.reset()
        self.score, self.steps, self.last = 0.0, 0, ""
        self.episodes += 1

    @property
    def over(self) -> bool:
        """Whether the episode has ended."""
        return bool(self.obs["is_last"])

    def hold(self, names: list[str]) -> None:
        """Sets the actions whose keys are held.

        Raises:
            ValueError: an unknown action, or one that the task doesn't have.
        """
        self.held = [self.index(name) for name in names]

    def press(self, name: str) -> None:
        """Does an action once.

        Raises:
            ValueError: as `hold`.
        """
        self.pressed.append(self.index(name))

    def index(self, name: str) -> int:
        """Number of an action."""
        names = NAMES[: self.count]
        if name not in names:
            raise ValueError(f"No action '{name}'. Actions: {', '.join(names)}.")
        return names.index(name)

    def tick(self) -> None:
        """One step with the next action, if the episode is still going on."""
        if self.over:
            return
        action = self._next()
        if self.recording:
            self.recording.add(self.obs, action)
        self.obs = self.env.step({"action": np.array(action, np.int32)})
        self.score += float(self.obs["reward"])
        self.steps += 1
        self.last = NAMES[action]

    def status(self) -> dict[str, Any]:
        """What stands beside the picture, as JSON."""
        counts = self.obs["inventory"]
        order = np.argsort(-counts, kind="stable")
        held = int(np.argmax(self.obs["equipped"]))
        reached = self.obs["inventory_max"]
        return {
            "score": round(self.score, 4),
            "steps": self.steps,
            "episode": self.episodes,
            "action": self.last,
            "over": self.over,
            "dead": bool(self.obs["is_terminal"]),
            "recording": str(self.recording.replay.directory) if self.recording else "",
            "life": round(float(self.obs["health"]) * 20, 1),
            "food": round(float(self.obs["hunger"]) * 20, 1),
            "equipped": held,
            "milestones": {name: bool(reached[INDEX[name]] > 0) for name in MILESTONES},
            "inventory": [
                [INVENTORY[i], int(counts[i])] for i in order[:SHOWN] if counts[i] > 0
            ],
        }

    def frame(self) -> np.ndarray:
        """Picture of now, uint8 `[H, W, 3]`, with the display of the game."""
        return self.env.render()

    def close(self) -> None:
        """Ends the environment and the recording."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.env.close)
            if self.recording:
                stack.callback(self.recording.close)
                self.recording.add(self.obs, 0)

    def _next(self) -> int:
        if self.pressed:
            return self.pressed.popleft()
        if not self.held:
            return 0
        self.turn += 1
        return self.held[self.turn % len(self.held)]
