"""Where animals and monsters come from, and when they are gone.

Source: Minecraft 1.11.2, its caps scaled to the 49 chunks in memory.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.nature import drops
from dreamerv3_tf.envs.minecraft.voxel.nature.fighting import LIFE
from dreamerv3_tf.envs.minecraft.voxel.nature.physics import cell

MONSTERS, ANIMALS = 12, 10  # most that there are
PACK = 4  # of a kind, at most
TRIES = 8  # places that are tried for a pack of monsters in a tick
HERD_EVERY = 100  # ticks between two tries for a herd
NEAREST, FARTHEST = 24.0, 48.0  # blocks from the player where mobs come into being
HOME = 8.0  # the same for the first animals of a world
GONE = 60.0  # blocks beyond which monsters vanish at once,
LOST = 32.0  # and beyond which one in 800 does in a tick, after
PATIENCE = 600  # ticks out there
HERD_TRIES = 40  # for the first animals

OPEN = ~(blocks.SOLID | blocks.WATERY | blocks.FIERY)
"""What a mob can be in."""

GROUND = blocks.OPAQUE.copy()
GROUND[[blocks.BEDROCK, *blocks.LEAVES]] = False
"""What a mob can be put on."""


@inner(_nrt=False)
def spawn_mobs(s):
    """Takes away mobs that are far, and puts new ones where they may be."""
    monsters, animals = _thin_out(s)
    sun = 15 * st.day_light(s.num[st.TIME])
    if s.num[st.DIFFICULTY] > 0:
        for _ in range(TRIES):
            monsters += _try_group(s, True, NEAREST, MONSTERS - monsters, sun)
    if s.num[st.TIME] % HERD_EVERY == 0:
        _try_group(s, False, NEAREST, ANIMALS - animals, sun)


@inner(_nrt=False)
def settle(s):
    """The first animals of a world, in herds around the player."""
    animals = 0
    for _ in range(HERD_TRIES):
        animals += _try_group(s, False, HOME, ANIMALS - animals, 15.0)


@inner(_nrt=False)
def _thin_out(s):
    """Removes far mobs; returns how many monsters and animals are left."""
    monsters, animals = 0, 0
    for row in range(st.ENTS):
        mob = s.ents[row]
        kind = mob[st.E_KIND]
        if kind < st.COW:
            continue
        far = _distance(s, mob[st.E_X], mob[st.E_Y], mob[st.E_Z])
        wild = kind >= st.ZOMBIE
        if wild and far < LOST:
            mob[st.E_AGE] = 0.0  # ticks since it was near
        if (
            not st.loaded(s, cell(mob[st.E_X]), cell(mob[st.E_Z]))
            or wild
            and (
                far > GONE
                or s.num[st.DIFFICULTY] == 0
                or (mob[st.E_AGE] > PATIENCE and st.random(s) < 1 / 800)
            )
        ):
            mob[st.E_KIND] = 0.0
        elif wild:
            monsters += 1
        else:
            animals += 1
    return monsters, animals


@inner(_nrt=False)
def _distance(s, x, y, z):
    dx, dy, dz = x - s.body[st.X], y - s.body[st.Y], z - s.body[st.Z]
    return math.sqrt(dx * dx + dy * dy + dz * dz)


@inner(_nrt=False)
def _try_group(s, wild, nearest, most, sun):
    """Tries one random place for mobs of one kind; returns how many there are now.

    Args:
        s: the world.
        wild: monsters in the dark, else animals on grass by daylight.
        nearest: least distance from the player, blocks.
        most: most of them.
        sun: light under the open sky, 0 to 15.
    """
    x = (s.num[st.CENTRE_X] - 3) * st.CHUNK + st.below(s, 7 * st.CHUNK)
    z = (s.num[st.CENTRE_Z] - 3) * st.CHUNK + st.below(s, 7 * st.CHUNK)
    y = np.int64(s.roof[x & 127, z & 127])
    if wild:
        y = 1 + st.below(s, y)
    elif sun <= 8:
        return 0
    if most <= 0 or not blocks.OPAQUE[st.get(s, x, y - 1, z)]:
        return 0  # most tries end here, so this is what they cost
    if blocks.OPAQUE[st.get(s, x, y, z)]:
        return 0
    kind = (st.ZOMBIE if wild else st.COW) + st.below(s, 4)
    return _put_group(s, kind, x, y, z, nearest, min(most, PACK), sun)


@inner(_nrt=False)
def _put_group(s, kind, x, y, z, nearest, most, sun):
    """Puts mobs on and around a cell where they may be; returns how many."""
    wild, count = kind >= st.ZOMBIE, 0
    for _ in range(PACK):
        if not wild:
            y = np.int64(s.roof[x & 127, z & 127])
        far = _distance(s, x + 0.5, np.float64(y), z + 0.5)
        if (
            count < most
            and nearest <= far <= FARTHEST
            and st.loaded(s, x, z)
            and _is_roomy(s, kind, x, y, z)
            and (not wild or _is_dark(s, x, y, z, sun))
        ):
            mob = s.ents[drops.free_row(s)]
            mob[st.E_KIND], mob[st.E_LIFE] = kind, LIFE[kind]
            mob[st.E_X], mob[st.E_Y], mob[st.E_Z] = x + 0.5, y, z + 0.5
            mob[st.E_YAW] = 360.0 * st.random(s)
            mob[st.E_DELAY] = 20.0  # ticks until a skeleton has drawn its bow
            count += 1
        x += st.below(s, 6) - st.below(s, 6)
        z += st.below(s, 6) - st.below(s, 6)
    return count


@inner(_nrt=False)
def _is_roomy(s, kind, x, y, z):
    """Whether the ground suits a mob, and 2 cells above it, or 18 for spiders, do."""
    ground = st.get(s, x, y - 1, z)
    if not GROUND[ground] or (kind < st.ZOMBIE and ground != blocks.GRASS):
        return False
    reach = 1 if kind == st.SPIDER else 0
    for i in range(x - reach, x + reach + 1):
        for k in range(z - reach, z + reach + 1):
            for j in range(y, y + 2):
                if not OPEN[st.get(s, i, j, k)]:
                    return False
    return True


@inner(_nrt=False)
def _is_dark(s, x, y, z, sun):
    """Whether monsters come into being: surely in the dark, never with light over 7."""
    light = st.sky_light(s, x, y, z)
    return light <= st.below(s, 32) and light * sun / 15 <= st.below(s, 8)
