"""`dmlab_gym.DmLabEnv` without the engine, with the awkward sides of the real one.

It steps one frame at a time, turns every setting into a string, hands out a single
observation without its name, and repeats the last observation at the end.
"""

from __future__ import annotations


class DmLabEnv:
    """Arguments and results as of dmlab-gym 0.2.0."""

    def __init__(
        self,
        level_name,
        observations=None,
        renderer="software",
        width=240,
        height=320,
        fps=60,
        max_num_steps=0,
        render_mode=None,
        **config,
    ):
        import deepmind_lab

        del render_mode
        self.names = ["RGB_INTERLEAVED"] if observations is None else observations
        self.limit, self.count, self.last = max_num_steps, 0, None
        settings = dict(config, width=width, height=height, fps=fps)
        self.lab = deepmind_lab.Lab(
            level_name,
            self.names,
            config={key: str(value) for key, value in settings.items()},
            renderer=renderer,
        )

    def reset(self, *, seed=None, options=None):
        del options
        self.count = 0
        self.lab.reset(seed=-1 if seed is None else seed)
        return self._look(), {}

    def step(self, action):
        reward = self.lab.step(action)
        self.count += 1
        over = not self.lab.is_running()
        late = not over and 0 < self.limit <= self.count
        return self.last if over else self._look(), reward, over, late, {}

    def close(self):
        self.lab.close()

    def _look(self):
        seen = self.lab.observations()
        self.last = seen[self.names[0]] if len(self.names) == 1 else seen
        return self.last
