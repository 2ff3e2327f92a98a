"""Where animals and monsters come from, and when they are gone.

Source: Minecraft 1.11.2, its caps scaled to the 49 chunks in memory.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks, drops
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.fighting import LIFE
from dreamerv3_tf.envs.minecraft.voxel.jit import inner

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


@inner
def spawn_mobs(s):
    """Takes away mobs that are far, and puts new ones where they may be."""
    monsters, animals = _thin_out(s)
    if monsters < MONSTERS and s.num[st.DIFFICULTY] > 0:
        sun = st.day_light(s.num[st.TIME])
        for _ in range(TRIES):
            monsters += _try_pack(s, sun, MONSTERS - monsters)
    if animals < ANIMALS and s.num[st.TIME] % HERD_EVERY == 0:
        _try_herd(s, NEAREST, ANIMALS - animals)


@inner
def settle(s):
    """The first animals of a world, in herds around the player."""
    animals = 0
    for _ in range(HERD_TRIES):
        animals += _try_herd(s, HOME, ANIMALS - animals)


@inner
def _thin_out(s):
    """Removes far mobs; returns how many monsters and animals are left."""
    monsters, animals = 0, 0
    for row in range(st.ENTS):
        mob = s.ents[row]
        kind = mob[st.E_KIND]
        if kind < st.COW:
            continue
        x, z = np.int64(math.floor(mob[st.E_X])), np.int64(math.floor(mob[st.E_Z]))
        if not st.loaded(s, x, z):
            mob[st.E_KIND] = 0.0
        elif kind < st.ZOMBIE:
            animals += 1
        elif _is_gone(s, mob):
            mob[st.E_KIND] = 0.0
        else:
            monsters += 1
    return monsters, animals


@inner
def _is_gone(s, mob):
    """Whether a monster vanishes; its age counts from when it was near last."""
    far = _distance(s, mob[st.E_X], mob[st.E_Y], mob[st.E_Z])
    if s.num[st.DIFFICULTY] == 0 or far > GONE:
        return True
    if far < LOST:
        mob[st.E_AGE] = 0.0
        return False
    return mob[st.E_AGE] > PATIENCE and st.below(s, 800) == 0


@inner
def _distance(s, x, y, z):
    dx, dy, dz = x - s.body[st.X], y - s.body[st.Y], z - s.body[st.Z]
    return math.sqrt(dx * dx + dy * dy + dz * dz)


@inner
def _random_column(s):
    """A column of the window, `(x, z)`."""
    x = (s.num[st.CENTRE_X] - 3) * st.CHUNK + st.below(s, 7 * st.CHUNK)
    z = (s.num[st.CENTRE_Z] - 3) * st.CHUNK + st.below(s, 7 * st.CHUNK)
    return x, z


@inner
def _try_pack(s, sun, most):
    """Puts monsters of one kind around a random place; returns how many."""
    x, z = _random_column(s)
    y = 1 + st.below(s, s.roof[x & 127, z & 127] + 1)
    if most <= 0 or not _is_roomy(s, x, y, z, 0):
        return 0
    kind, count = st.ZOMBIE + st.below(s, 4), 0
    reach = 1 if kind == st.SPIDER else 0
    for _ in range(PACK):
        far = _distance(s, x + 0.5, y, z + 0.5)
        if (
            count < most
            and NEAREST <= far <= FARTHEST
            and st.loaded(s, x, z)
            and _is_roomy(s, x, y, z, reach)
            and _is_dark(s, x, y, z, sun)
        ):
            count += _put_mob(s, kind, x, y, z)
        x += st.below(s, 6) - st.below(s, 6)
        z += st.below(s, 6) - st.below(s, 6)
    return count


@inner
def _is_roomy(s, x, y, z, reach):
    """Whether a body fits on firm ground: 2 high, `2 * reach + 1` wide."""
    ground = st.get(s, x, y - 1, z)
    if not blocks.OPAQUE[ground] or ground == blocks.BEDROCK or _is_leafy(ground):
        return False
    for i in range(x - reach, x + reach + 1):
        for k in range(z - reach, z + reach + 1):
            if not (_is_open(st.get(s, i, y, k)) and _is_open(st.get(s, i, y + 1, k))):
                return False
    return True


@inner
def _is_leafy(block):
    return blocks.OAK_LEAVES <= block <= blocks.ACACIA_LEAVES


@inner
def _is_open(block):
    return not (blocks.SOLID[block] or blocks.WATERY[block] or blocks.FIERY[block])


@inner
def _is_dark(s, x, y, z, sun):
    """Whether monsters come into being: surely in the dark, never with light over 7."""
    light = st.sky_light(s, x, y, z)
    return light <= st.below(s, 32) and light * sun <= st.below(s, 8)


@inner
def _try_herd(s, nearest, most):
    """Puts animals of one kind on grass by daylight; returns how many."""
    x, z = _random_column(s)
    kind, count = st.COW + st.below(s, 4), 0
    if st.day_light(s.num[st.TIME]) * 15 <= 8:
        return 0
    for _ in range(PACK):
        y = np.int64(s.roof[x & 127, z & 127])
        far = _distance(s, x + 0.5, y, z + 0.5)
        if (
            count < most
            and nearest <= far <= FARTHEST
            and st.loaded(s, x, z)
            and st.get(s, x, y - 1, z) == blocks.GRASS
            and _is_roomy(s, x, y, z, 0)
        ):
            count += _put_mob(s, kind, x, y, z)
        x += st.below(s, 6) - st.below(s, 6)
        z += st.below(s, 6) - st.below(s, 6)
    return count


@inner
def _put_mob(s, kind, x, y, z):
    """Adds a healthy mob on a cell; returns 1, or 0 where there is no row for it."""
    row = drops.spare_row(s)
    if row < 0:
        return 0
    mob = s.ents[row]
    mob[st.E_KIND], mob[st.E_LIFE] = kind, LIFE[kind]
    mob[st.E_X], mob[st.E_Y], mob[st.E_Z] = x + 0.5, y, z + 0.5
    mob[st.E_YAW] = 360.0 * st.random(s)
    mob[st.E_DELAY] = 20.0  # ticks until a skeleton has drawn its bow
    return 1
