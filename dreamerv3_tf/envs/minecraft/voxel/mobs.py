"""Animals and monsters: what they want, how they get there, and what wears them down.

Source: Minecraft 1.11.2, without its path search: a mob walks straight at its goal,
jumps on what is one block high, and stops at cliffs and lava. Of the columns of `ents`
that mobs share with items, `E_DELAY` counts down to the next bite or shot, and `E_COUNT`
counts the ticks with the eyes under water. `E_ANGRY` counts down the ticks in which an
animal flees or a monster hunts, `E_TIMER` those of a walk to `E_GOAL_X`, `E_GOAL_Z`.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import arrows, blocks, explosions, physics
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.fighting import (
    hit_player,
    hurt_mob,
    sees,
    strike,
)
from dreamerv3_tf.envs.minecraft.voxel.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.physics import cell
from dreamerv3_tf.envs.minecraft.voxel.spawning import settle, spawn_mobs

__all__ = ["hurt_mob", "settle", "spawn_mobs", "strike", "tick_mobs"]

_SPEED = np.array([0, 0, 0, 0, 0.2, 0.25, 0.23, 0.25, 0.23, 0.3, 0.25, 0.25])
THRUST = 0.98 * _SPEED**2
"""Blocks per tick that a walking mob gains in each tick on the ground, by kind."""

FLIGHT = np.array([1, 1, 1, 1, 2.0, 1.25, 1.25, 1.4, 1, 1, 1, 1])
"""Pace of a mob that flees, by kind."""

GLIDE = 0.02  # blocks per tick that it gains in the air or a fluid
DRAG, DRAG_GROUND, DRAG_WATER, DRAG_LAVA = 0.91, 0.546, 0.8, 0.5
JUMP, CLIMB, PADDLE, FLUTTER = 0.42, 0.2, 0.04, 0.6
SIGHT, SHOT, RELOAD = 16.0, 15.0, 60  # blocks, blocks, ticks
RELOAD_HARD = 40
MEMORY = 60  # ticks that a hunter goes on after it has seen the player last
EYES = 0.85  # height of the eyes, share of the whole
BITE_EVERY = 20  # ticks
BITES = np.zeros((4, len(st.KINDS)))
BITES[1:, st.ZOMBIE] = 2.5, 3.0, 4.5
BITES[1:, st.SPIDER] = 2.0, 2.0, 3.0
"""Half hearts of a bite, by difficulty and kind."""

BITE_REACH = np.zeros(len(st.KINDS))
BITE_REACH[st.ZOMBIE], BITE_REACH[st.SPIDER] = 2.04, 4.6
"""Square of the distance at which a mob bites, by kind."""

FUSE = 30  # ticks
FUSE_STARTS, FUSE_STOPS = 3.0, 7.0  # blocks
DARK = 7.0  # the brightest that monsters bear
BY_MOB = st.CAUSES.index("mob")


@inner
def tick_mobs(s):
    """All mobs and arrows live through one tick."""
    sun = 15 * st.day_light(s.num[st.TIME])
    for row in range(st.ENTS):
        kind = np.int64(s.ents[row, st.E_KIND])
        if kind >= st.COW:
            tick_mob(s, row, kind, sun)
        elif kind == st.ARROW:
            arrows.tick_arrow(s, row)


@inner
def tick_mob(s, row, kind, sun):
    """One mob: what the place does to it, what it wants, its step."""
    mob = s.ents[row]
    mob[st.E_AGE] += 1
    mob[st.E_HURT] = max(0.0, mob[st.E_HURT] - 1)
    mob[st.E_DELAY] = max(0.0, mob[st.E_DELAY] - 1)
    mob[st.E_ANGRY] = max(0.0, mob[st.E_ANGRY] - 1)
    x, y, z = cell(mob[st.E_X]), cell(mob[st.E_Y] + 0.4), cell(mob[st.E_Z])
    fluid = st.get(s, x, y, z)
    suffer(s, row, kind, fluid, sun)
    if mob[st.E_KIND] == 0:
        return
    pace = hunt(s, row, kind, sun) if kind >= st.ZOMBIE else graze(s, mob, kind)
    if mob[st.E_KIND] > 0:
        walk(s, row, kind, pace, fluid)


@inner
def suffer(s, row, kind, fluid, sun):
    """Lava, fire, daylight and water take life; the mob may die."""
    mob = s.ents[row]
    if blocks.FIERY[fluid]:
        mob[st.E_FIRE] = 300.0
        hurt_mob(s, row, 4.0)
    elif blocks.WATERY[fluid]:
        mob[st.E_FIRE] = 0.0
    elif mob[st.E_FIRE] > 0:
        mob[st.E_FIRE] -= 1
        if mob[st.E_FIRE] % 20 == 0:
            hurt_mob(s, row, 1.0)
    elif (
        (kind == st.ZOMBIE or kind == st.SKELETON)
        and sun > DARK
        and st.random(s) < 0.04
        and mob[st.E_Y] + 1 >= s.roof[cell(mob[st.E_X]) & 127, cell(mob[st.E_Z]) & 127]
    ):
        mob[st.E_FIRE] = 160.0
    breathe(s, row, kind)


@inner
def breathe(s, row, kind):
    """Drowns after 16 seconds under water, 2 half hearts each second."""
    mob = s.ents[row]
    eye = mob[st.E_Y] + EYES * st.ENT_TALL[kind]
    if not blocks.WATERY[st.get(s, cell(mob[st.E_X]), cell(eye), cell(mob[st.E_Z]))]:
        mob[st.E_COUNT] = 0.0
        return
    mob[st.E_COUNT] += 1
    if mob[st.E_COUNT] >= 320:
        mob[st.E_COUNT] = 300.0
        hurt_mob(s, row, 2.0)


@inner
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


@inner
def graze(s, mob, kind):
    """Pace of an animal: it wanders now and then, and runs when it was hit."""
    if mob[st.E_ANGRY] > 0:
        return FLIGHT[kind] if roam(s, mob, 1.0, 5.0) else 0.0
    return 1.0 if roam(s, mob, 1 / 120, 10.0) else 0.0


@inner
def hunt(s, row, kind, sun):
    """Pace of a monster, which goes for a player that it has seen; it may explode."""
    mob = s.ents[row]
    dx, dy = s.body[st.X] - mob[st.E_X], s.body[st.Y] - mob[st.E_Y]
    dz = s.body[st.Z] - mob[st.E_Z]
    far = math.sqrt(dx * dx + dy * dy + dz * dz)
    if far < SIGHT and st.random(s) < 0.1 and notices(s, mob, kind, sun):
        mob[st.E_ANGRY] = max(mob[st.E_ANGRY], MEMORY)
    if mob[st.E_ANGRY] == 0 or s.num[st.DEAD] == 1:
        mob[st.E_FUSE] = max(0.0, mob[st.E_FUSE] - 1)
        return 1.0 if roam(s, mob, 1 / 120, 10.0) else 0.0
    mob[st.E_GOAL_X], mob[st.E_GOAL_Z] = s.body[st.X], s.body[st.Z]
    mob[st.E_TIMER] = 0.0
    if kind == st.CREEPER:
        return swell(s, row, far)
    if kind == st.SKELETON:
        return aim(s, row, far)
    if mob[st.E_DELAY] == 0 and far * far < BITE_REACH[kind] and eyes_meet(s, mob, kind):
        mob[st.E_DELAY] = BITE_EVERY
        hit_player(s, BITES[s.num[st.DIFFICULTY], kind], BY_MOB, dx, dz)
    return 1.0


@inner
def eyes_meet(s, mob, kind):
    """Whether nothing solid is between the eyes of a mob and those of the player."""
    body, eye = s.body, mob[st.E_Y] + EYES * st.ENT_TALL[kind]
    return sees(
        s, mob[st.E_X], eye, mob[st.E_Z], body[st.X], body[st.Y] + st.EYE, body[st.Z]
    )


@inner
def notices(s, mob, kind, sun):
    """Whether a monster becomes aware of the player; a spider in the light does not."""
    if kind == st.SPIDER and mob[st.E_ANGRY] == 0:
        x, y, z = cell(mob[st.E_X]), cell(mob[st.E_Y]), cell(mob[st.E_Z])
        if sun > DARK and st.sky_light(s, x, y, z) * sun > DARK * 15:
            return False
    return eyes_meet(s, mob, kind)


@inner
def swell(s, row, far):
    """Pace of a creeper that hunts: near the player it stands, hisses and explodes."""
    mob = s.ents[row]
    near = far < FUSE_STARTS or (mob[st.E_FUSE] > 0 and far < FUSE_STOPS)
    if not (near and eyes_meet(s, mob, st.CREEPER)):
        mob[st.E_FUSE] = max(0.0, mob[st.E_FUSE] - 1)
        return 1.0
    mob[st.E_FUSE] += 1
    if mob[st.E_FUSE] >= FUSE:
        explosions.explode(s, row)
    return 0.0


@inner
def aim(s, row, far):
    """Pace of a skeleton that hunts: it comes nearer, and shoots when it can."""
    mob = s.ents[row]
    if mob[st.E_DELAY] == 0 and far < SHOT:
        if eyes_meet(s, mob, st.SKELETON):
            arrows.shoot(s, row)
            hard = s.num[st.DIFFICULTY] == 3
            mob[st.E_DELAY] = RELOAD_HARD if hard else RELOAD
        else:
            mob[st.E_DELAY] = 5.0
    return 1.0 if far > SHOT / 2 else 0.0


@inner
def walk(s, row, kind, pace, fluid):
    """Moves a mob by a tick, towards its goal where `pace` is not 0."""
    mob = s.ents[row]
    grounded, floats = mob[st.E_GROUND] > 0, blocks.WATERY[fluid] or blocks.FIERY[fluid]
    ux, uz = 0.0, 0.0
    if pace > 0:
        ux, uz = heading(s, mob, kind, grounded)
    elif grounded and rests(s, mob):
        return
    gain = THRUST[kind] * pace * pace if grounded and not floats else GLIDE
    vx, vy, vz = mob[st.E_VX] + ux * gain, mob[st.E_VY], mob[st.E_VZ] + uz * gain
    if floats:
        vy += PADDLE
    dx, dy, dz = physics.slide(
        s, mob[st.E_X], mob[st.E_Y], mob[st.E_Z], vx, vy, vz,
        st.ENT_WIDE[kind], st.ENT_TALL[kind],
    )  # fmt: skip
    mob[st.E_X] += dx
    mob[st.E_Y] += dy
    mob[st.E_Z] += dz
    drag = DRAG_GROUND if grounded else DRAG
    if floats:
        drag = DRAG_WATER if blocks.WATERY[fluid] else DRAG_LAVA
    mob[st.E_VX] = dx * drag if dx == vx else 0.0
    mob[st.E_VZ] = dz * drag if dz == vz else 0.0
    mob[st.E_GROUND] = 1.0 if vy < 0 and dy != vy else 0.0
    blocked = dx != vx or dz != vz
    rise(s, mob, kind, dy if dy == vy else 0.0, drag if floats else 0.0, blocked)
    land(s, row, kind, dy, floats)


@inner
def rests(s, mob):
    """Whether a mob stands still on a block; if so, its speed is none."""
    if abs(mob[st.E_VX]) > 0.003 or abs(mob[st.E_VZ]) > 0.003 or mob[st.E_VY] > 0:
        return False
    x, y, z = cell(mob[st.E_X]), cell(mob[st.E_Y] + 0.001), cell(mob[st.E_Z])
    if abs(mob[st.E_Y] - y) > 0.001 or not blocks.SOLID[st.get(s, x, y - 1, z)]:
        return False
    mob[st.E_VX], mob[st.E_VZ] = 0.0, 0.0
    return True


@inner
def heading(s, mob, kind, grounded):
    """Unit vector `(x, z)` to the goal, which the mob faces; none where it must stop."""
    dx, dz = mob[st.E_GOAL_X] - mob[st.E_X], mob[st.E_GOAL_Z] - mob[st.E_Z]
    far = math.sqrt(dx * dx + dz * dz)
    if far < 0.3:
        return 0.0, 0.0
    dx, dz = dx / far, dz / far
    mob[st.E_YAW] = math.degrees(math.atan2(-dx, dz))
    ahead = 0.5 * st.ENT_WIDE[kind] + 0.3
    x, z = cell(mob[st.E_X] + dx * ahead), cell(mob[st.E_Z] + dz * ahead)
    if grounded and is_sheer(s, x, cell(mob[st.E_Y] + 0.001), z):
        mob[st.E_TIMER] = 0.0
        return 0.0, 0.0
    return dx, dz


@inner
def is_sheer(s, x, y, z):
    """Whether a step to a cell ends in lava or more than 3 blocks below."""
    for down in range(5):
        block = st.get(s, x, y - down, z)
        if blocks.SOLID[block] or blocks.WATERY[block]:
            return False
        if blocks.FIERY[block]:
            return True
    return True


@inner
def rise(s, mob, kind, vy, drag_fluid, blocked):
    """Speed upward for the next tick: gravity, fluids, jumps, climbing spiders."""
    if drag_fluid > 0:
        vy = 0.3 if blocked else vy * drag_fluid - 0.02
    else:
        vy = (vy - 0.08) * 0.98
        if kind == st.CHICKEN and vy < 0:
            vy *= FLUTTER
        if blocked and kind == st.SPIDER:
            vy = CLIMB
        elif blocked and mob[st.E_GROUND] > 0 and can_step(s, mob, kind):
            vy = JUMP
    mob[st.E_VY] = vy


@inner
def can_step(s, mob, kind):
    """Whether what is ahead is one block high; if not, a walk without target ends."""
    yaw = math.radians(mob[st.E_YAW])
    ahead = 0.5 * st.ENT_WIDE[kind] + 0.3
    x = cell(mob[st.E_X] - math.sin(yaw) * ahead)
    z = cell(mob[st.E_Z] + math.cos(yaw) * ahead)
    free = not blocks.SOLID[st.get(s, x, cell(mob[st.E_Y] + 0.001) + 1, z)]
    if not free:
        mob[st.E_TIMER] = 0.0
    return free


@inner
def land(s, row, kind, dy, floats):
    """Sums what a mob falls, but for the tick that lands; then it hurts."""
    mob = s.ents[row]
    if mob[st.E_GROUND] > 0:
        fall = mob[st.E_FALL]
        mob[st.E_FALL] = 0.0
        if fall > 3 and kind != st.CHICKEN:
            hurt_mob(s, row, np.ceil(fall - 3))
    elif floats:
        mob[st.E_FALL] = 0.0
    else:
        mob[st.E_FALL] = max(0.0, mob[st.E_FALL] - min(dy, 0.0))
