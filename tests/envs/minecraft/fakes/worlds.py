"""The voxel world with accidents, for both sides of a comparison."""

from __future__ import annotations

from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.sim import VoxelBackend


class Accidents(VoxelBackend):
    """Voxel worlds in which something happens at certain steps of the whole run.

    Args:
        drops: steps at which the player is lifted 60 blocks up, to fall to death.
        losses: steps at which the game is lost.
        **settings: of `VoxelBackend`.
    """

    def __init__(self, *, drops=(), losses=(), **settings):
        super().__init__(**settings)
        self.drops, self.losses, self.steps = set(drops), set(losses), 0

    def step(self, command):
        self.steps += 1
        if self.steps in self.drops:
            self.state.body[st.Y] += 60
        raw = super().step(command)
        return raw._replace(lost=True) if self.steps in self.losses else raw
