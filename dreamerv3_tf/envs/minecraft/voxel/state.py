"""The state of one voxel world, as arrays that compiled code reads and writes.

Conventions, used everywhere:

- x is east, y is up, z is south; a cell `(x, y, z)` covers `[x, x+1)` and so on.
- yaw 0 looks along +z, yaw 90 along -x (clockwise seen from above); pitch is positive
  downward; both in degrees. One looks along
  `(-sin yaw cos pitch, -sin pitch, cos yaw cos pitch)`.
- faces: 0 -x, 1 +x, 2 -y (bottom), 3 +y (top), 4 -z, 5 +z.
- one tick is 1/20 s; speeds are blocks per tick. Life, food and damage are half hearts
  and half drumsticks, 0 to 20.

Voxels lie on a torus of 8x8 chunks: cell `(x, y, z)` is `vox[x & 127, z & 127, y]`. The
7x7 chunks around the player are loaded, so at least 48 blocks in each direction.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.items import SLOTS
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.compiler.record import Record

SIZE = 128  # cells of the window along x and z
HEIGHT = 128  # cells along y; above is air, below is void
CHUNK = 16
SEA = 62  # height of the topmost cell of water

# Columns of `body`: the player.
X, Y, Z, VX, VY, VZ, YAW, PITCH = range(8)  # feet centre, blocks; blocks/tick; degrees
GROUND, FALL = 8, 9  # stands on something; blocks fallen so far
LIFE, FOOD, SATURATION, EXHAUSTION, BREATH = range(10, 15)  # breath: 300 ... -20 ticks
FIRE, HURT, HURT_AMOUNT, HEAL, STARVE = range(15, 20)  # ticks; damage of the last hit
JUMP_DELAY, MINE_X, MINE_Y, MINE_Z, MINE, MINE_DELAY, MISS = range(20, 27)
CHARGE = 27  # ticks since the last swing at a mob
HAND = 28  # 1 + item that slot 0 held in the last tick; 0 for none
BODY = 32

EYE, TALL, WIDE = 1.62, 1.8, 0.6  # blocks, of the player
REACH, REACH_MOB = 4.5, 3.0

# Entries of `num`: int64.
TIME = 0  # ticks since the episode began; 0 is sunrise, a day has 24000
LOGGED = 1  # rows of `edits` in use
QUEUED = 2  # rows of `queue` in use
CENTRE_X, CENTRE_Z = 3, 4  # chunk in the middle of the window
SEED = 5  # of the world
DIFFICULTY = 6  # 0 peaceful, 1 easy, 2 normal, 3 hard
DEAD = 7  # 1 once life has ended
CAUSE = 8  # what hurt last, an index of CAUSES
BLOCKS_BROKEN, DAMAGE_DEALT = 9, 10  # statistics
NUM = 16

CAUSES = ("nothing", "fall", "drowning", "lava", "fire", "suffocation", "cactus",
          "starvation", "mob", "arrow", "explosion", "void")  # fmt: skip

# Columns of `ents`: mobs, items, arrows, falling blocks. E_KIND 0 is a free row.
E_KIND, E_X, E_Y, E_Z, E_VX, E_VY, E_VZ, E_YAW = range(8)  # feet centre
E_GROUND, E_FALL, E_AGE, E_LIFE, E_HURT, E_FIRE = range(8, 14)
E_ITEM, E_COUNT, E_DAMAGE, E_DELAY = range(14, 18)  # items; E_ITEM: a falling block
E_TIMER, E_GOAL_X, E_GOAL_Z, E_ANGRY, E_FUSE, E_HIT = range(18, 24)  # mobs
ENT = 24
ENTS = 96

ITEM, ARROW, FALLING = 1, 2, 3
COW, PIG, SHEEP, CHICKEN = 4, 5, 6, 7
ZOMBIE, SPIDER, SKELETON, CREEPER = 8, 9, 10, 11
KINDS = ("", "item", "arrow", "falling", "cow", "pig", "sheep", "chicken", "zombie",
         "spider", "skeleton", "creeper")  # fmt: skip

ENT_WIDE = np.array([0, .25, .5, .98, .9, .9, .9, .4, .6, 1.4, .6, .6])  # fmt: skip
ENT_TALL = np.array(
    [0, .25, .5, .98, 1.4, .9, 1.3, .7, 1.95, .9, 1.99, 1.7]
)  # fmt: skip

EDITS, QUEUE = 8192, 4096
BREAK_SPEED = 0  # entry of `conf`
NOWHERE = -(2**30)  # chunk coordinates of a place that holds none


class State(Record):
    """One world. Everything is an array, so a snapshot is a copy.

    Attributes:
        vox: uint8 `[128, 128, 128]`, blocks by `[x & 127, z & 127, y]`.
        biome: uint8 `[128, 128]`, by `[x & 127, z & 127]`.
        roof: uint8 `[128, 128]`, 1 + height of the highest opaque block of a column.
        tops: uint8 `[16, 16]`, for 8x8 columns an upper bound of 1 + the height of
            their highest block that is not air.
        lows: uint8 `[16, 16]`, for 8x8 columns a lower bound of their `roof`.
        chunks: int32 `[8, 8, 2]`, chunk that each place of the torus holds.
        body: float64 `[BODY]`, the player.
        slots: int32 `[365, 3]`, item, count, damage; a count of 0 is an empty slot.
        ents: float64 `[ENTS, ENT]`.
        num: int64 `[NUM]`, counters and settings.
        conf: float64 `[4]`: factor on the speed of breaking blocks, and three spare.
        rng: uint64 `[1]`, state of the random numbers of the simulation.
        edits: int32 `[EDITS, 4]`, `(x, y, z, block)` changed since they were read.
        queue: int64 `[QUEUE, 4]`, `(x, y, z, time)` of cells to look at later.
    """

    FIELDS = {
        "vox": (np.uint8, (SIZE, SIZE, HEIGHT)),
        "biome": (np.uint8, (SIZE, SIZE)),
        "roof": (np.uint8, (SIZE, SIZE)),
        "tops": (np.uint8, (SIZE // 8, SIZE // 8)),
        "lows": (np.uint8, (SIZE // 8, SIZE // 8)),
        "chunks": (np.int32, (8, 8, 2)),
        "body": (np.float64, (BODY,)),
        "slots": (np.int32, (SLOTS, 3)),
        "ents": (np.float64, (ENTS, ENT)),
        "num": (np.int64, (NUM,)),
        "conf": (np.float64, (4,)),
        "rng": (np.uint64, (1,)),
        "edits": (np.int32, (EDITS, 4)),
        "queue": (np.int64, (QUEUE, 4)),
    }

    vox: np.ndarray
    biome: np.ndarray
    roof: np.ndarray
    tops: np.ndarray
    lows: np.ndarray
    chunks: np.ndarray
    body: np.ndarray
    slots: np.ndarray
    ents: np.ndarray
    num: np.ndarray
    conf: np.ndarray
    rng: np.ndarray
    edits: np.ndarray
    queue: np.ndarray


def empty_state() -> State:
    """A world of air without any chunk, the player at the origin."""
    state = State()
    state.chunks.fill(NOWHERE)
    state.conf.fill(1)
    state.body[[LIFE, FOOD, BREATH]] = 20, 20, 300
    state.body[SATURATION] = 5
    state.body[CHARGE] = 100
    return state


@inner(_nrt=False)
def get(s, x, y, z):
    """Block of a cell; air above the world, bedrock below it."""
    if y >= HEIGHT:
        return blocks.AIR
    if y < 0:
        return blocks.BEDROCK
    return s.vox[x & 127, z & 127, y]


@inner(_nrt=False)
def loaded(s, x, z):
    """Whether the column is in the window; elsewhere `get` returns another's block."""
    cx, cz = x >> 4, z >> 4
    place = s.chunks[cx & 7, cz & 7]
    return place[0] == cx and place[1] == cz


@inner(_nrt=False)
def put(s, x, y, z, block):
    """Changes a cell: voxels, heights, the log of edits, and what is next to it.

    The cell and its neighbours are looked at in the next tick (see `updates.py`).
    Nothing happens outside of the window or the world.
    """
    if y < 0 or y >= HEIGHT or not loaded(s, x, z):
        return
    s.vox[x & 127, z & 127, y] = block
    raise_heights(s, x, y, z, block)
    count = s.num[LOGGED]
    assert count < EDITS
    s.edits[count, 0], s.edits[count, 1], s.edits[count, 2] = x, y, z
    s.edits[count, 3] = block
    s.num[LOGGED] = count + 1
    later(s, x, y, z, 1)
    later(s, x - 1, y, z, 1)
    later(s, x + 1, y, z, 1)
    later(s, x, y - 1, z, 1)
    later(s, x, y + 1, z, 1)
    later(s, x, y, z - 1, 1)
    later(s, x, y, z + 1, 1)


@inner(_nrt=False)
def raise_heights(s, x, y, z, block):
    """Keeps `roof`, `tops` and `lows` true after a change of one cell."""
    i, j = x & 127, z & 127
    if block != blocks.AIR and y + 1 > s.tops[i >> 3, j >> 3]:
        s.tops[i >> 3, j >> 3] = y + 1
    if blocks.OPAQUE[block]:
        if y + 1 > s.roof[i, j]:
            s.roof[i, j] = y + 1
    elif y + 1 == s.roof[i, j]:
        top = y
        while top > 0 and not blocks.OPAQUE[s.vox[i, j, top - 1]]:
            top -= 1
        s.roof[i, j] = top
        if top < s.lows[i >> 3, j >> 3]:
            s.lows[i >> 3, j >> 3] = top


@inner(_nrt=False)
def later(s, x, y, z, ticks):
    """Has a cell looked at after some ticks; forgotten where the queue is full."""
    count = s.num[QUEUED]
    if count < QUEUE:
        s.queue[count, 0], s.queue[count, 1], s.queue[count, 2] = x, y, z
        s.queue[count, 3] = s.num[TIME] + ticks
        s.num[QUEUED] = count + 1


@inner(_nrt=False)
def random(s):
    """Uniform number in [0, 1): splitmix64 of `rng`."""
    s.rng[0] += np.uint64(0x9E3779B97F4A7C15)
    word = s.rng[0]
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    word = word ^ (word >> np.uint64(31))
    return np.float64(word >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inner(_nrt=False)
def below(s, count):
    """Uniform whole number in [0, count)."""
    return np.int64(random(s) * count)


@inner(_nrt=False)
def sky_light(s, x, y, z):
    """Light from the sky at a cell by day, 0 to 15.

    15 under the open sky; elsewhere 15 less the distance, in columns, to the nearest
    column that is open at this height.
    """
    if y >= s.roof[x & 127, z & 127]:
        return 15
    best = 16
    for tile_x in range((x >> 3) - 2, (x >> 3) + 3):
        for tile_z in range((z >> 3) - 2, (z >> 3) + 3):
            if s.lows[tile_x & 15, tile_z & 15] <= y:
                best = _nearest_open(s, x, y, z, tile_x, tile_z, best)
    return max(0, 15 - best)


@inner(_nrt=False)
def _nearest_open(s, x, y, z, tile_x, tile_z, best):
    for i in range(tile_x * 8, tile_x * 8 + 8):
        for j in range(tile_z * 8, tile_z * 8 + 8):
            if s.roof[i & 127, j & 127] <= y:
                best = min(best, max(abs(i - x), abs(j - z)))
    return best


@inner(_nrt=False)
def day_light(time):
    """Share of the sun's light that reaches the ground, 0.2 at night to 1 at noon."""
    fraction = (time / 24000.0 - 0.25) % 1.0
    angle = fraction + (1.0 - (np.cos(np.pi * fraction) + 1.0) / 2.0 - fraction) / 3.0
    sun = 1.0 - (np.cos(2.0 * np.pi * angle) * 2.0 + 0.2)
    return 0.2 + 0.8 * (1.0 - min(1.0, max(0.0, sun)))
