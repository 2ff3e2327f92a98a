"""`deepmind_lab` without the engine: its class `Lab`, over a toy world.

What it accepts, returns and refuses is that of the native module as its documentation
has it (docs/users/python_api.md of DeepMind Lab): configuration of strings only, a list
of observations, actions as C integers, seeds as Python integers, nothing to be observed
when the episode is over. It runs on Python 3.7 or later, as the real one does.

The world: moving forward adds 1 to the distance in each frame and backward takes 1
away, but never below 0; each 10 of distance, when reached first, pays 1; FIRE pays 0.25
a frame; looking adds to the angle. The picture shows all of it (`picture`). An episode
has `FRAMES` frames, which is no multiple of 4. Every `TASK` frames the instruction
changes.
"""

from __future__ import annotations

import os
import tempfile

import numpy as np

FRAMES = 50
TASK = 20
LEVELS = os.environ.get("FAKE_DMLAB_LEVELS", "contributed/dmlab30/")
CONTROLS = [
    ("LOOK_LEFT_RIGHT_PIXELS_PER_FRAME", -512, 512),
    ("LOOK_DOWN_UP_PIXELS_PER_FRAME", -512, 512),
    ("STRAFE_LEFT_RIGHT", -1, 1),
    ("MOVE_BACK_FORWARD", -1, 1),
    ("FIRE", 0, 1),
    ("JUMP", 0, 1),
    ("CROUCH", 0, 1),
]
WORDS = ("Pick the red object", "Are all cars blue?", "Get the hat from the blue room")
KNOWN = {"width", "height", "fps", "logLevel", "mixerSeed", "allowHoldOutLevels"}

made = []  # arguments of each Lab of this process


def picture(width, height, distance, angle, episode, frame, seed, mixer):
    """The picture uint8 `[height, width, 3]`: a gradient, and numbers in its corner."""
    rows, columns = np.ogrid[:height, :width]
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = (rows + distance) % 256
    image[..., 1] = (columns + angle) % 256
    image[0, 0] = episode % 256, frame % 256, seed % 256
    image[0, 1] = distance % 256, angle % 256, mixer % 256
    return image


def check_arguments(level, observations, config, renderer):
    """Refuses what the C code refuses."""
    if not isinstance(level, str):
        raise TypeError("argument 1 must be str")
    if not isinstance(observations, list):
        raise TypeError("argument 2 must be list, not " + type(observations).__name__)
    if config is not None and not isinstance(config, dict):
        raise TypeError("argument 3 must be dict, not " + type(config).__name__)
    for pair in (config or {}).items():
        if not all(isinstance(part, str) for part in pair):
            raise TypeError("bad argument type for built-in operation")
    if renderer not in ("software", "hardware", ""):
        raise RuntimeError('Failed to set renderer must be "hardware" or "software"')


class Lab:
    """See the module; arguments as documented."""

    alive = 0

    def __init__(
        self,
        level,
        observations,
        config=None,
        renderer="software",
        level_cache=None,
        temp_folder=None,
    ):
        del temp_folder
        self.open = False
        check_arguments(level, observations, config, renderer)
        if Lab.alive:
            raise RuntimeError("Failed to connect RL API")  # one in a process
        if not level.startswith(LEVELS):
            raise RuntimeError(f"Failed to init environment - \"no script '{level}'\"")
        for name in observations:
            if name not in ("RGB_INTERLEAVED", "INSTR"):
                raise ValueError(f"Unknown observation '{name}'.")
        self.config = dict({"width": "320", "height": "240"}, **(config or {}))
        assert set(self.config) <= KNOWN, self.config
        self.names, self.level_cache = list(observations), level_cache
        self.level, self.episode, self.running, self.frame = level, -1, False, 0
        self.open, Lab.alive = True, Lab.alive + 1
        made.append(
            dict(level=level, names=self.names, config=config, renderer=renderer)
        )
        print("DMLab writes to the console")  # which must not disturb a pipe

    def reset(self, episode=-1, seed=None):
        if seed is not None and type(seed) is not int:
            raise ValueError(
                f"'seed' must be int or None, was '{type(seed).__name__}'."
            )
        self._require(self.open, "start")
        self.episode = self.episode + 1 if episode < 0 else episode
        self.seed = -1 if seed is None else int(np.intc(seed))
        if self.level_cache is not None:
            self._compile()
        self.running, self.frame = True, 0
        self.distance = self.angle = self.best = 0
        return True

    def is_running(self):
        return self.open and self.running

    def num_steps(self):
        return self.frame

    def fps(self):
        return 60

    def action_spec(self):
        return [dict(name=name, min=low, max=high) for name, low, high in CONTROLS]

    def observation_spec(self):
        shape = int(self.config["height"]), int(self.config["width"]), 3
        return [
            dict(name="RGB_INTERLEAVED", dtype=np.uint8, shape=shape),
            dict(name="INSTR", dtype=str, shape=()),
        ]

    def step(self, action, num_steps=1):
        if not isinstance(action, np.ndarray):
            raise TypeError("argument 1 must be numpy.ndarray")
        self._require(self.is_running(), "to advance")
        if action.shape != (7,):
            raise ValueError("action must have shape (7)")
        if action.dtype != np.intc:
            raise ValueError("action must have dtype np.intc")
        for value, (name, low, high) in zip(action, CONTROLS):  # noqa: B905  (old Python)
            assert low <= value <= high, name  # undefined behaviour of the real one
        reward = 0.0
        for _ in range(num_steps):
            if not self.running:
                break
            reward += self._advance(action)
        return reward

    def observations(self):
        self._require(self.is_running(), "for call to observations()")
        seen = {
            "RGB_INTERLEAVED": picture(
                int(self.config["width"]),
                int(self.config["height"]),
                self.distance,
                self.angle,
                self.episode,
                self.frame,
                self.seed,
                int(self.config.get("mixerSeed", 0)),
            ),
            "INSTR": WORDS[(self.seed + self.frame // TASK) % len(WORDS)],
        }
        return {name: seen[name] for name in self.names}

    def events(self):
        return []

    def close(self):
        if not self.open:
            return False
        self.open, Lab.alive = False, Lab.alive - 1
        return True

    def __del__(self):
        self.close()

    def _require(self, condition, what):
        if not condition:
            raise RuntimeError(f"Environment in wrong status {what}")

    def _advance(self, action):
        self.frame += 1
        self.distance = max(0, self.distance + int(action[3]))
        self.angle += int(action[0])
        reward = 0.25 * int(action[4])
        if self.distance > self.best and self.distance % 10 == 0:
            self.best, reward = self.distance, reward + 1.0
        self.running = self.frame < FRAMES
        return reward

    def _compile(self):
        """What the engine does with a map: fetches it, or compiles it and offers it."""
        key = f"map_{self.seed}"
        folder = tempfile.mkdtemp()
        path = os.path.join(folder, "compiled.pk3")
        if not self.level_cache.fetch(key, path):
            with open(path, "w") as file:
                file.write(key)
            self.level_cache.write(key, path)
        with open(path) as file:
            assert file.read() == key
        os.remove(path)
        os.rmdir(folder)
