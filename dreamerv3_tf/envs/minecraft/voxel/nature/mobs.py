"""Animals and monsters: what they want, how they get there, and what wears them down.

Source: Minecraft 1.11.2, without its path search: a mob walks straight at its goal,
jumps on what is one block high, and stops at cliffs and lava. Of the columns of `ents`
that mobs share with items, `E_DELAY` counts down to the next bite or shot, and
`E_COUNT` counts the ticks with the eyes under water. `E_ANGRY` counts down the ticks in
which an animal flees or a monster hunts, `E_TIMER` those of a walk to its goal.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.nature import physics
from dreamerv3_tf.envs.minecraft.voxel.nature.arrows import fly, shoot
from dreamerv3_tf.envs.minecraft.voxel.nature.explosions import EYES, explode
from dreamerv3_tf.envs.minecraft.voxel.nature.fighting import (
    hit_player,
    hurt_mob,
    leave_loot,
    sees,
    strike,
)
from dreamerv3_tf.envs.minecraft.voxel.nature.physics import cell
from dreamerv3_tf.envs.minecraft.voxel.nature.spawning import settle, spawn_mobs

__all__ = ["hurt_mob", "settle", "spawn_mobs", "strike", "tick_mobs"]

_SPEED = np.array([0, 0, 0, 0, 0.2, 0.25, 0.23, 0.25, 0.23, 0.3, 0.25, 0.25])
THRUST = 0.98 * _SPEED**2
"""Blocks per tick that a walking mob gains in each tick on the ground, by kind."""

FLIGHT = np.array([1, 1, 1, 1, 2.0, 1.25, 1.25, 1.4, 1, 1, 1, 1])
"""Pace of a mob that flees, by kind."""

GLIDE = 0.02  # blocks per tick that it gains in the air or a fluid
DRAG, DRAG_GROUND, DRAG_WATER, DRAG_LAVA = 0.91, 0.546, 0.8, 0.5
JUMP, CLIMB, PADDLE, FLUTTER = 0.42, 0.2, 0.04, 0.6
STROLL = 1 / 120  # chance in a tick to begin one
SHOT = 15.0  # blocks
SIGHT = np.full(len(st.KINDS), 16.0)
SIGHT[st.ZOMBIE] = 35.0
"""Blocks from which a monster notices the player and up to which it hunts, by kind."""

RELOAD = np.array([60.0, 60.0, 60.0, 40.0])  # ticks between shots, by difficulty
BITE_EVERY = 20  # ticks
MEMORY = 60  # ticks that a hunter goes on after it has seen the player last
BITES = np.zeros((4, len(st.KINDS)))
BITES[1:, st.ZOMBIE] = 2.5, 3.0, 4.5
BITES[1:, st.SPIDER] = 2.0, 2.0, 3.0
"""Half hearts of a bite, by difficulty and kind."""

BITE_REACH = np.zeros(len(st.KINDS))
BITE_REACH[[st.ZOMBIE, st.SPIDER]] = np.sqrt([2.04, 4.6])
"""Blocks at which a mob bites, by kind."""

FUSE = 30  # ticks
FUSE_STARTS, FUSE_STOPS = 3.0, 7.0  # blocks
DARK = 7.0  # the brightest that monsters bear
REST, BITE, SHOOT, EXPLODE = range(4)  # deeds
BY_MOB, BY_ARROW = st.CAUSES.index("mob"), st.CAUSES.index("arrow")


@inner(_nrt=False)
def tick_mobs(s):
    """All mobs and arrows live through one tick."""
    sun = 15 * st.day_light(s.num[st.TIME])
    for row in range(st.ENTS):
        mob = s.ents[row]
        kind = np.int64(mob[st.E_KIND])
        if kind < st.COW:
            if kind == st.ARROW and fly(s, mob):
                act(s, row, kind, BITE)
        elif mob[st.E_LIFE] <= 0:
            leave_loot(s, mob)
            mob[st.E_KIND] = 0.0
        else:
            for column in (st.E_HURT, st.E_DELAY, st.E_ANGRY):
                mob[column] = max(0.0, mob[column] - 1)
            mob[st.E_AGE] += 1
            fluid = suffer(s, mob, kind, sun)
            pace, deed = want(s, mob, kind, sun)
            if deed != REST:
                act(s, row, kind, deed)
            if pace > 0 or not rests(s, mob):
                walk(s, mob, kind, pace, fluid)


@inner(_nrt=False)
def act(s, row, kind, deed):
    """A mob bites, shoots or explodes, or an arrow hits the player."""
    mob = s.ents[row]
    if deed == SHOOT:
        shoot(s, mob)
    elif deed == EXPLODE:
        explode(s, row)
    else:
        harm, cause = BITES[s.num[st.DIFFICULTY], kind], BY_MOB
        dx, dz = s.body[st.X] - mob[st.E_X], s.body[st.Z] - mob[st.E_Z]
        if kind == st.ARROW:
            harm, cause = mob[st.E_DAMAGE], BY_ARROW
            dx, dz = mob[st.E_VX], mob[st.E_VZ]
        hit_player(s, harm, cause, dx, dz)


@inner(_nrt=False)
def suffer(s, mob, kind, sun):
    """Lava, fire, daylight and water take life; returns the block around the feet."""
    x, z = cell(mob[st.E_X]), cell(mob[st.E_Z])
    fluid = st.get(s, x, cell(mob[st.E_Y] + 0.4), z)
    harm = 0.0
    if blocks.FIERY[fluid]:
        mob[st.E_FIRE] = 300.0
        harm = 4.0
    elif blocks.WATERY[fluid]:
        mob[st.E_FIRE] = 0.0
    elif mob[st.E_FIRE] > 0:
        mob[st.E_FIRE] -= 1
        harm = 1.0 if mob[st.E_FIRE] % 20 == 0 else 0.0
    elif (
        (kind == st.ZOMBIE or kind == st.SKELETON)
        and is_bright(s, mob, sun)
        and st.random(s) < 0.04
    ):
        mob[st.E_FIRE] = 160.0
    eye = mob[st.E_Y] + EYES * st.ENT_TALL[kind]
    mob[st.E_COUNT] += 1
    if not blocks.WATERY[st.get(s, x, cell(eye), z)]:
        mob[st.E_COUNT] = 0.0
    elif mob[st.E_COUNT] >= 320:
        mob[st.E_COUNT] = 300.0
        harm = 2.0
    if harm > 0:
        hurt_mob(mob, harm)
    return fluid


@inner(_nrt=False)
def is_bright(s, mob, sun):
    """Whether a mob is in daylight under the open sky."""
    x, z = cell(mob[st.E_X]), cell(mob[st.E_Z])
    return sun > DARK and mob[st.E_Y] + 1 >= s.roof[x & 127, z & 127]


@inner(_nrt=False)
def want(s, mob, kind, sun):
    """Pace and deed of a mob; animals and monsters without a target roam."""
    if kind >= st.ZOMBIE:
        dx, dy = s.body[st.X] - mob[st.E_X], s.body[st.Y] - mob[st.E_Y]
        dz = s.body[st.Z] - mob[st.E_Z]
        far = math.sqrt(dx * dx + dy * dy + dz * dz)
        seen = far < SIGHT[kind] and notices(s, mob, kind, sun)
        if mob[st.E_ANGRY] > 0 and s.num[st.DEAD] == 0:
            mob[st.E_GOAL_X], mob[st.E_GOAL_Z] = s.body[st.X], s.body[st.Z]
            return hunt(mob, kind, far, seen, RELOAD[s.num[st.DIFFICULTY]])
        mob[st.E_FUSE] = max(0.0, mob[st.E_FUSE] - 1)
        return (1.0 if roam(s, mob, STROLL, 10.0) else 0.0), REST
    if mob[st.E_ANGRY] > 0:
        return (FLIGHT[kind] if roam(s, mob, 1.0, 5.0) else 0.0), REST
    return (1.0 if roam(s, mob, STROLL, 10.0) else 0.0), REST


@inner(_nrt=False)
def notices(s, mob, kind, sun):
    """Whether a monster sees the player; it then hunts, but not a spider by day.

    One that does not hunt looks in one of ten ticks.
    """
    calm = mob[st.E_ANGRY] == 0
    if calm and st.random(s) > 0.1:
        return False
    if calm and kind == st.SPIDER and is_bright(s, mob, sun):
        return False
    body, eye = s.body, mob[st.E_Y] + EYES * st.ENT_TALL[kind]
    seen = sees(
        s, mob[st.E_X], eye, mob[st.E_Z], body[st.X], body[st.Y] + st.EYE, body[st.Z]
    )
    if seen:
        mob[st.E_ANGRY] = max(mob[st.E_ANGRY], MEMORY)
    return seen


@inner(_nrt=False)
def roam(s, mob, chance, reach):
    """Whether a mob without a target walks; a new walk begins by chance."""
    if mob[st.E_TIMER] > 0:
        dx, dz = mob[st.E_GOAL_X] - mob[st.E_X], mob[st.E_GOAL_Z] - mob[st.E_Z]
        mob[st.E_TIMER] = mob[st.E_TIMER] - 1 if dx * dx + dz * dz > 1 else 0.0
    elif st.random(s) < chance:
        mob[st.E_GOAL_X] = mob[st.E_X] + reach * (2 * st.random(s) - 1)
        mob[st.E_GOAL_Z] = mob[st.E_Z] + reach * (2 * st.random(s) - 1)
        mob[st.E_TIMER] = 100.0
    return mob[st.E_TIMER] > 0


@inner(_nrt=False)
def hunt(mob, kind, far, seen, reload):
    """Pace and deed of a monster whose target is `far` blocks away.

    A skeleton keeps its distance. A creeper that has come near stands until it explodes
    or the player has got away.
    """
    mob[st.E_TIMER] = 0.0
    if kind == st.CREEPER:
        swells = far < FUSE_STARTS or (mob[st.E_FUSE] > 0 and far < FUSE_STOPS)
        if not (seen and swells):
            mob[st.E_FUSE] = max(0.0, mob[st.E_FUSE] - 1)
            return 1.0, REST
        mob[st.E_FUSE] += 1
        return 0.0, EXPLODE if mob[st.E_FUSE] >= FUSE else REST
    ready = seen and mob[st.E_DELAY] == 0
    if kind == st.SKELETON:
        if ready and far < SHOT:
            mob[st.E_DELAY] = reload
            return 0.0, SHOOT
        return 1.0 if far > SHOT / 2 else 0.0, REST
    if ready and far < BITE_REACH[kind]:
        mob[st.E_DELAY] = BITE_EVERY
        return 1.0, BITE
    return 1.0, REST


@inner(_nrt=False)
def rests(s, mob):
    """Whether a mob without a goal stands still on a block; it then has no speed."""
    if mob[st.E_GROUND] == 0 or mob[st.E_VY] > 0:
        return False
    if abs(mob[st.E_VX]) > 0.003 or abs(mob[st.E_VZ]) > 0.003:
        return False
    x, y, z = cell(mob[st.E_X]), cell(mob[st.E_Y] + 0.001), cell(mob[st.E_Z])
    if abs(mob[st.E_Y] - y) > 0.001 or not blocks.SOLID[st.get(s, x, y - 1, z)]:
        return False
    mob[st.E_VX], mob[st.E_VZ] = 0.0, 0.0
    return True


@inner(_nrt=False)
def walk(s, mob, kind, pace, fluid):
    """Moves a mob by a tick, towards its goal where `pace` is not 0."""
    floats = blocks.WATERY[fluid] or blocks.FIERY[fluid]
    grounded, gain = mob[st.E_GROUND] > 0, GLIDE
    drag = DRAG_GROUND if grounded else DRAG
    if floats:
        drag = DRAG_WATER if blocks.WATERY[fluid] else DRAG_LAVA
        mob[st.E_VY] += PADDLE
    elif grounded:
        gain = THRUST[kind] * pace * pace
    step_free = pace > 0 and head(s, mob, kind, gain)
    vx, vy, vz = mob[st.E_VX], mob[st.E_VY], mob[st.E_VZ]
    dx, dy, dz = physics.slide(
        s, mob[st.E_X], mob[st.E_Y], mob[st.E_Z], vx, vy, vz,
        st.ENT_WIDE[kind], st.ENT_TALL[kind],
    )  # fmt: skip
    mob[st.E_X] += dx
    mob[st.E_Y] += dy
    mob[st.E_Z] += dz
    mob[st.E_GROUND] = 1.0 if vy < 0 and dy != vy else 0.0
    mob[st.E_VX] = dx * drag if dx == vx else 0.0
    mob[st.E_VZ] = dz * drag if dz == vz else 0.0
    blocked = dx != vx or dz != vz
    if blocked and not step_free:
        mob[st.E_TIMER] = 0.0  # of a stroll
    mob[st.E_VY] = dy if dy == vy else 0.0
    rise(mob, kind, floats, drag, blocked, step_free)
    fall(mob, kind, floats, dy)


@inner(_nrt=False)
def head(s, mob, kind, gain):
    """Turns a mob to its goal and pushes it there, but not off a cliff or into lava.

    Returns:
        Whether there is room one block higher than where it goes.
    """
    dx, dz = mob[st.E_GOAL_X] - mob[st.E_X], mob[st.E_GOAL_Z] - mob[st.E_Z]
    far = math.sqrt(dx * dx + dz * dz) + 1e-6
    dx, dz = dx / far, dz / far
    mob[st.E_YAW] = math.degrees(math.atan2(-dx, dz))
    ahead = 0.5 * st.ENT_WIDE[kind] + 0.3
    x, z = cell(mob[st.E_X] + dx * ahead), cell(mob[st.E_Z] + dz * ahead)
    y = cell(mob[st.E_Y] + 0.001)
    if far > 0.3 and (mob[st.E_GROUND] == 0 or not is_sheer(s, x, y, z)):
        mob[st.E_VX] += dx * gain
        mob[st.E_VZ] += dz * gain
    else:
        mob[st.E_TIMER] = 0.0
    return not blocks.SOLID[st.get(s, x, y + 1, z)]


@inner(_nrt=False)
def is_sheer(s, x, y, z):
    """Whether a step to a cell ends in lava or more than 3 blocks below."""
    for down in range(5):
        block = st.get(s, x, y - down, z)
        if blocks.SOLID[block] or blocks.WATERY[block]:
            return False
        if blocks.FIERY[block]:
            return True
    return True


@inner(_nrt=False)
def rise(mob, kind, floats, drag, blocked, step_free):
    """Speed upward for the next tick: gravity, fluids, jumps, climbing spiders."""
    vy = (mob[st.E_VY] - 0.08) * 0.98
    if floats:
        vy = 0.3 if blocked else mob[st.E_VY] * drag - 0.02
    elif blocked and kind == st.SPIDER:
        vy = CLIMB
    elif blocked and step_free and mob[st.E_GROUND] > 0:
        vy = JUMP
    elif kind == st.CHICKEN and vy < 0:
        vy *= FLUTTER
    mob[st.E_VY] = vy


@inner(_nrt=False)
def fall(mob, kind, floats, dy):
    """Sums the way down of all ticks but the one that lands, which then hurts."""
    if mob[st.E_GROUND] > 0:
        if mob[st.E_FALL] > 3 and kind != st.CHICKEN:
            hurt_mob(mob, np.ceil(mob[st.E_FALL] - 3))
        mob[st.E_FALL] = 0.0
    elif floats:
        mob[st.E_FALL] = 0.0
    else:
        mob[st.E_FALL] -= min(dy, 0.0)
