"""One tick of the world, and what else Python asks of it: kernels of an episode."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft import items
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.nature import (
    drops,
    mining,
    mobs,
    physics,
    spawning,
    survival,
    updates,
)

OF_ITEM = np.array(
    [items.INVENTORY.index("log" if name == "log2" else name) for name in items.NAMES]
)
"""Entry of the observation `inventory` by number of the item."""

HELD = np.array([items.EQUIPPED.index(name) for name in items.NAMES])
"""Entry of the observation `equipped` by number of the item."""


def tick(s: st.State, forward: int, strafe: int, jump: bool, attack: bool) -> None:
    """1/20 s of the world.

    Two kernels, so that two processes can compile them at the same time.

    Args:
        s: the state; the camera has been turned already.
        forward: 1 forward, -1 back, 0 neither.
        strafe: 1 left, -1 right, 0 neither.
        jump: whether the key is held.
        attack: whether the button is held and clicked.
    """
    tick_player(s, forward, strafe, jump, attack)
    tick_world(s)


@kernel()
def tick_player(s, forward, strafe, jump, attack):
    """The first half of a tick: what the player does, and what befalls the player."""
    s.num[st.TIME] += 1
    mining.mine(s, attack)
    physics.move_player(s, forward, strafe, jump)
    survival.live(s)


@kernel()
def tick_world(s):
    """The second half of a tick: items, mobs, fluids, and what falls."""
    drops.tick_items(s)
    mobs.tick_mobs(s)
    spawning.spawn_mobs(s)
    updates.tick_updates(s)


@kernel()
def settle(s):
    """Animals of a new world."""
    spawning.settle(s)


@kernel()
def place(s, block):
    """Places a block on the face under the crosshair; returns whether it did.

    The cell is overwritten whatever it holds, with no thought of support, unless a body
    is in the way.
    """
    hit, x, y, z, face = mining.target(s)
    if not hit:
        return False, x, y, z
    side = 1 if face & 1 else -1
    if face < 2:
        x += side
    elif face < 4:
        y += side
    else:
        z += side
    free = 0 <= y < st.HEIGHT and st.loaded(s, x, z) and not is_occupied(s, x, y, z)
    if free:
        st.put(s, x, y, z, block)
    return free, x, y, z


@inner(_nrt=False)
def is_occupied(s, x, y, z):
    """Whether a body is in the cell; items and arrows give way."""
    body = s.body
    if _overlaps(body[st.X], body[st.Y], body[st.Z], st.WIDE, st.TALL, x, y, z):
        return True
    for row in range(st.ENTS):
        ent = s.ents[row]
        kind = np.int64(ent[st.E_KIND])
        if kind >= st.COW and _overlaps(
            ent[st.E_X],
            ent[st.E_Y],
            ent[st.E_Z],
            st.ENT_WIDE[kind],
            st.ENT_TALL[kind],
            x,
            y,
            z,
        ):
            return True
    return False


@inner(_nrt=False)
def _overlaps(bx, by, bz, wide, tall, x, y, z):
    half = wide / 2
    return (
        bx - half < x + 1
        and bx + half > x
        and by < y + 1
        and by + tall > y
        and bz - half < z + 1
        and bz + half > z
    )


@kernel()
def observe(s, counts):
    """Counts the inventory; returns what the hand holds.

    Every empty slot counts as one `air`, and `log2` as `log`.

    Args:
        s: the state.
        counts: int32 `[391]`, overwritten.

    Returns:
        Entry of the observation `equipped`.
    """
    counts[:] = 0
    for slot in range(items.SLOTS):
        count = s.slots[slot, 1]
        if count > 0:
            counts[OF_ITEM[s.slots[slot, 0]]] += count
        else:
            counts[OF_ITEM[items.AIR]] += 1
    return HELD[s.slots[0, 0]] if s.slots[0, 1] > 0 else HELD[items.AIR]


@kernel()
def turn(s, yaw, pitch):
    """Turns the camera by degrees: yaw to the right, pitch downward."""
    s.body[st.YAW] = (s.body[st.YAW] + yaw) % 360.0
    s.body[st.PITCH] = min(90.0, max(-90.0, s.body[st.PITCH] + pitch))


@kernel()
def block_at(s, x, y, z):
    """Block of a cell in the window, -1 outside of it."""
    if not st.loaded(s, x, z):
        return -1
    return np.int64(st.get(s, x, y, z))


@kernel()
def aim(s):
    """What the crosshair is on: whether anything, its cell, and the face."""
    return mining.target(s)
