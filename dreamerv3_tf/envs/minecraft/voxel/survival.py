"""What wears the player down and heals it: damage, air, fire, hunger.

Source: Minecraft 1.11.2. Life, food and damage are half hearts and half drumsticks.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.physics import (
    eyes_under_water,
    holds,
    touches_lava,
    touches_water,
)

PEACEFUL, EASY, NORMAL, HARD = range(4)
FALL, DROWNING, LAVA, FIRE, SUFFOCATION, CACTUS, STARVATION = range(1, 8)
VOID = st.CAUSES.index("void")
SAFE_FALL = 3.0  # blocks that hurt nothing
SAFE_TICKS = 10  # after a hit
AIR_LEFT = 300  # ticks
BURN = 300  # ticks after a bath in lava

CHOKES = blocks.SOLID.copy()  # a cactus is thinner than its cell
CHOKES[blocks.CACTUS] = False
PRICKS = np.zeros(256, np.bool_)
PRICKS[blocks.CACTUS] = True


@inner
def hurt(s, amount, cause):
    """Takes life from the player; within 10 ticks of a hit only what exceeds it.

    Args:
        s: the world.
        amount: damage, half hearts; a float.
        cause: index of `state.CAUSES`, kept in `num[CAUSE]`.

    Returns:
        Whether life was lost.
    """
    body = s.body
    loss = amount
    if body[st.HURT] > 0.0:
        loss -= body[st.HURT_AMOUNT]
    else:
        body[st.HURT] = SAFE_TICKS
    if loss <= 0.0 or s.num[st.DEAD] == 1:
        return False
    body[st.HURT_AMOUNT] = amount
    body[st.LIFE] = max(0.0, body[st.LIFE] - loss)
    _tire(s, 0.1)
    s.num[st.CAUSE] = cause
    if body[st.LIFE] == 0.0:
        s.num[st.DEAD] = 1
    return True


@inner
def live(s):
    """One tick of what the place and the stomach do; after `physics.move_player`."""
    body = s.body
    body[st.HURT] = max(0.0, body[st.HURT] - 1.0)
    _land(s)
    _breathe(s)
    _burn(s)
    _squeeze(s)
    _digest(s)
    if s.num[st.DIFFICULTY] == PEACEFUL:
        _rest(s)
    if body[st.Y] < -10.0:
        body[st.HURT] = 0.0
        hurt(s, body[st.LIFE], VOID)


@inner
def _land(s):
    body = s.body
    if body[st.GROUND] > 0.0:
        if body[st.FALL] > SAFE_FALL:
            hurt(s, np.ceil(body[st.FALL] - SAFE_FALL), FALL)
        body[st.FALL] = 0.0


@inner
def _breathe(s):
    body = s.body
    if not eyes_under_water(s):
        body[st.BREATH] = AIR_LEFT
        return
    body[st.BREATH] -= 1.0
    if body[st.BREATH] <= -20.0:
        body[st.BREATH] = 0.0
        hurt(s, 2.0, DROWNING)


@inner
def _burn(s):
    """Lava hurts and sets on fire; fire hurts each second until it or water ends it."""
    body = s.body
    x, y, z = body[st.X], body[st.Y], body[st.Z]
    if touches_water(s, x, y, z, st.WIDE, st.TALL):
        body[st.FIRE] = 0.0
    elif touches_lava(s, x, y, z, st.WIDE, st.TALL):
        hurt(s, 4.0, LAVA)
        body[st.FIRE] = BURN
    elif body[st.FIRE] > 0.0:
        if body[st.FIRE] % 20.0 == 0.0:
            hurt(s, 1.0, FIRE)
        body[st.FIRE] -= 1.0


@inner
def _squeeze(s):
    """A head inside of a block chokes, a cactus pricks whom it touches."""
    x, y, z = s.body[st.X], s.body[st.Y], s.body[st.Z]
    near, eye = 0.4 * st.WIDE, y + st.EYE
    if holds(s, CHOKES, x - near, x + near, eye - 0.1, eye + 0.1, z - near, z + near):
        hurt(s, 1.0, SUFFOCATION)
    edge = 0.5 * st.WIDE + 0.01
    top = y + st.TALL
    if holds(s, PRICKS, x - edge, x + edge, y - 0.01, top, z - edge, z + edge):
        hurt(s, 1.0, CACTUS)


@inner
def _tire(s, amount):
    s.body[st.EXHAUSTION] = min(40.0, s.body[st.EXHAUSTION] + amount)


@inner
def _digest(s):
    """Exhaustion eats saturation, then food; food heals, and its lack starves."""
    body = s.body
    if body[st.EXHAUSTION] > 4.0:
        body[st.EXHAUSTION] -= 4.0
        if body[st.SATURATION] > 0.0:
            body[st.SATURATION] = max(0.0, body[st.SATURATION] - 1.0)
        elif s.num[st.DIFFICULTY] != PEACEFUL:
            body[st.FOOD] = max(0.0, body[st.FOOD] - 1.0)
    if body[st.FOOD] <= 0.0:
        _starve(s)
        return
    body[st.STARVE] = 0.0
    hungry_heal = 80.0
    gain, cost = 1.0, 6.0
    if body[st.FOOD] >= 20.0 and body[st.SATURATION] > 0.0:
        hungry_heal = 10.0
        cost = min(body[st.SATURATION], 6.0)
        gain = cost / 6.0
    if body[st.FOOD] < 18.0 or not 0.0 < body[st.LIFE] < 20.0:
        body[st.HEAL] = 0.0
        return
    body[st.HEAL] += 1.0
    if body[st.HEAL] >= hungry_heal:
        body[st.HEAL] = 0.0
        body[st.LIFE] = min(20.0, body[st.LIFE] + gain)
        _tire(s, cost)


@inner
def _starve(s):
    body = s.body
    body[st.STARVE] += 1.0
    if body[st.STARVE] >= 80.0:
        body[st.STARVE] = 0.0
        level = s.num[st.DIFFICULTY]
        left = 10.0 if level <= EASY else (1.0 if level == NORMAL else 0.0)
        if body[st.LIFE] > left:
            hurt(s, 1.0, STARVATION)


@inner
def _rest(s):
    """Without enemies life comes back each second, and food twice as fast."""
    body = s.body
    if s.num[st.TIME] % 20 == 0 and 0.0 < body[st.LIFE] < 20.0:
        body[st.LIFE] = min(20.0, body[st.LIFE] + 1.0)
    if s.num[st.TIME] % 10 == 0:
        body[st.FOOD] = min(20.0, body[st.FOOD] + 1.0)
