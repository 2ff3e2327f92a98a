"""What wears the player down and heals it: damage, air, fire, hunger.

Source: Minecraft 1.11.2. Life, food and damage are half hearts and half drumsticks.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.nature.physics import (
    eyes_under_water,
    holds,
    touches_lava,
    touches_water,
)

PEACEFUL, EASY, NORMAL = range(3)
NOTHING, FALL = 0, 1  # of `state.CAUSES`; `live` lists its harms in that order
VOID = st.CAUSES.index("void")
VOID_BELOW = -10.0  # height
SAFE_FALL = 3.0  # blocks that hurt nothing
SAFE_TICKS = 10  # after a hit
AIR_LEFT = 300  # ticks
BURN = 300  # ticks after a bath in lava

CHOKES = blocks.SOLID.copy()  # a cactus is thinner than its cell
CHOKES[blocks.CACTUS] = False
PRICKS = np.zeros(256, np.bool_)
PRICKS[blocks.CACTUS] = True


@inner(_nrt=False)
def hurt(s, amount, cause):
    """Takes life from the player; within 10 ticks of a hit only what exceeds it.

    Args:
        s: the world.
        amount: damage, half hearts; a float.
        cause: index of `state.CAUSES`, kept in `num[CAUSE]`.

    Returns:
        Whether life was lost.
    """
    return _lose(s.body, s.num, amount, cause)


@inner(_nrt=False)
def _lose(body, num, amount, cause):
    loss = amount
    if body[st.HURT] > 0.0:
        loss -= body[st.HURT_AMOUNT]
    if loss <= 0.0 or num[st.DEAD] == 1:
        return False
    if body[st.HURT] == 0.0:
        body[st.HURT] = SAFE_TICKS
    body[st.HURT_AMOUNT] = amount
    body[st.LIFE] = max(0.0, body[st.LIFE] - loss)
    _tire(body, 0.1)
    num[st.CAUSE] = cause
    num[st.DEAD] = body[st.LIFE] == 0.0
    return True


@inner(_nrt=False)
def live(s):
    """One tick of what the place and the stomach do; after `physics.move_player`.

    The worst of what hurts in this tick is what counts.
    """
    body = s.body
    body[st.HURT] = max(0.0, body[st.HURT] - 1.0)
    lava, fire = _burn(s)
    choke, prick = _squeeze(s)
    harms = (
        0.0, _land(body), _drown(body, eyes_under_water(s)), lava, fire, choke, prick,
        _digest(body, s.num),
    )  # fmt: skip
    worst = NOTHING
    for cause in range(FALL, len(harms)):
        if harms[cause] > harms[worst]:
            worst = cause
    if body[st.Y] < VOID_BELOW:
        body[st.HURT] = 0.0
        hurt(s, 20.0, VOID)
    elif worst != NOTHING:
        hurt(s, harms[worst], worst)


@inner(_nrt=False)
def _land(body):
    """Damage of the fall that ends in this tick."""
    if body[st.GROUND] == 0.0:
        return 0.0
    fallen = body[st.FALL]
    body[st.FALL] = 0.0
    return max(0.0, np.ceil(fallen - SAFE_FALL))


@inner(_nrt=False)
def _drown(body, under):
    body[st.BREATH] = body[st.BREATH] - 1.0 if under else AIR_LEFT
    if body[st.BREATH] > -20.0:
        return 0.0
    body[st.BREATH] = 0.0
    return 2.0


@inner(_nrt=False)
def _burn(s):
    """Damage of lava, which sets on fire, and of fire, once a second; water ends it."""
    body = s.body
    x, y, z = body[st.X], body[st.Y], body[st.Z]
    lava = fire = 0.0
    if touches_water(s, x, y, z, st.WIDE, st.TALL):
        body[st.FIRE] = 0.0
    elif touches_lava(s, x, y, z, st.WIDE, st.TALL):
        body[st.FIRE] = BURN
        lava = 4.0
    elif body[st.FIRE] > 0.0:
        fire = 1.0 if body[st.FIRE] % 20.0 == 0.0 else 0.0
        body[st.FIRE] -= 1.0
    return lava, fire


@inner(_nrt=False)
def _squeeze(s):
    """Damage of a block around the head, and of a cactus that the body touches."""
    x, y, z = s.body[st.X], s.body[st.Y], s.body[st.Z]
    near, eye = 0.4 * st.WIDE, y + st.EYE
    choke = holds(
        s, CHOKES, x - near, x + near, eye - 0.1, eye + 0.1, z - near, z + near
    )
    edge, top = 0.5 * st.WIDE + 0.01, y + st.TALL
    prick = holds(s, PRICKS, x - edge, x + edge, y - 0.01, top, z - edge, z + edge)
    return 1.0 * choke, 1.0 * prick


@inner(_nrt=False)
def _tire(body, amount):
    body[st.EXHAUSTION] = min(40.0, body[st.EXHAUSTION] + amount)


@inner(_nrt=False)
def _digest(body, num):
    """Exhaustion eats saturation, then food; food heals. Damage of having none."""
    peaceful = num[st.DIFFICULTY] == PEACEFUL
    if body[st.EXHAUSTION] > 4.0:
        body[st.EXHAUSTION] -= 4.0
        if body[st.SATURATION] > 0.0:
            body[st.SATURATION] = max(0.0, body[st.SATURATION] - 1.0)
        elif not peaceful:
            body[st.FOOD] = max(0.0, body[st.FOOD] - 1.0)
    if peaceful:  # life comes back each second, food twice as fast
        if num[st.TIME] % 20 == 0:
            _heal(body, 1.0)
        if num[st.TIME] % 10 == 0:
            body[st.FOOD] = min(20.0, body[st.FOOD] + 1.0)
    if body[st.FOOD] <= 0.0:
        body[st.HEAL] = 0.0
        return _starve(body, num[st.DIFFICULTY])
    body[st.STARVE] = 0.0
    _recover(body)
    return 0.0


@inner(_nrt=False)
def _recover(body):
    pause, gain, cost = 80.0, 1.0, 6.0
    if body[st.FOOD] >= 20.0 and body[st.SATURATION] > 0.0:
        pause, cost = 10.0, min(body[st.SATURATION], 6.0)
        gain = cost / 6.0
    if body[st.FOOD] < 18.0 or body[st.LIFE] >= 20.0:
        body[st.HEAL] = 0.0
        return
    body[st.HEAL] += 1.0
    if body[st.HEAL] >= pause:
        body[st.HEAL] = 0.0
        _heal(body, gain)
        _tire(body, cost)


@inner(_nrt=False)
def _heal(body, amount):
    if body[st.LIFE] > 0.0:
        body[st.LIFE] = min(20.0, body[st.LIFE] + amount)


@inner(_nrt=False)
def _starve(body, difficulty):
    body[st.STARVE] += 1.0
    if body[st.STARVE] < 80.0:
        return 0.0
    body[st.STARVE] = 0.0
    left = 10.0 if difficulty <= EASY else (1.0 if difficulty == NORMAL else 0.0)
    return 1.0 if body[st.LIFE] > left else 0.0
