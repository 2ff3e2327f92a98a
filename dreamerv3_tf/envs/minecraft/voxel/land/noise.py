"""Hashes and gradient noise, pure functions of a seed and of coordinates.

All integers are int64 and wrap around; nothing here keeps a state.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner

# Odd numbers with well mixed bits, below 2^63 so that Numba keeps them int64.
_A, _B, _C = 0x4CF5AD432745937F, 0x2127599BF4325C37, 0x1B8735939E3779B1
_ONE = 1.0 / (1 << 24)


@inner
def mix(word):
    """Int64 whose bits all depend on all bits of `word`."""
    word = (word ^ (word >> 32)) * _A
    word = (word ^ (word >> 29)) * _B
    return word ^ (word >> 32)


@inner
def hash2(seed, x, z):
    """Int64 for a column; give each use a seed of its own, see `salt`."""
    return mix(seed + x * _B + z * _C)


@inner
def salt(seed, use):
    """Seed of one use of the world's seed."""
    return mix(seed * _C + use * _A)


@inner
def unit(word):
    """Number in [0, 1) from a hash."""
    return np.float64(word & 0xFFFFFF) * _ONE


@inner
def draw(word, low, high):
    """Whole number in [low, high) from a hash, of other bits than `unit`."""
    return low + ((word >> 24) & 0xFFFFF) * (high - low) // 0x100000


@inner
def fade(t):
    """Smooth step from 0 at 0 to 1 at 1, constant outside."""
    t = min(1.0, max(0.0, t))
    return t * t * (3.0 - 2.0 * t)


@inner
def _slope2(word, x, z):
    gx = np.float64(word & 0xFFFF) - 32767.5
    gz = np.float64((word >> 16) & 0xFFFF) - 32767.5
    return (gx * x + gz * z) * (2.2 / 32768.0)


@inner
def noise2(seed, x, z):
    """Gradient noise of standard deviation about 1/3, features of length 1."""
    i, j = np.int64(math.floor(x)), np.int64(math.floor(z))
    x, z = x - i, z - j
    u, w = fade(x), fade(z)
    a = _slope2(hash2(seed, i, j), x, z)
    b = _slope2(hash2(seed, i + 1, j), x - 1.0, z)
    c = _slope2(hash2(seed, i, j + 1), x, z - 1.0)
    d = _slope2(hash2(seed, i + 1, j + 1), x - 1.0, z - 1.0)
    a += u * (b - a)
    c += u * (d - c)
    return a + w * (c - a)


@inner
def _slope3(word, x, y, z):
    gx = np.float64(word & 0xFFFF) - 32767.5
    gy = np.float64((word >> 16) & 0xFFFF) - 32767.5
    gz = np.float64((word >> 32) & 0xFFFF) - 32767.5
    return (gx * x + gy * y + gz * z) * (2.2 / 32768.0)


@inner
def _plane3(seed, i, k, x, y, z, u, w):
    a = _slope3(hash2(seed, i, k), x, y, z)
    b = _slope3(hash2(seed, i + 1, k), x - 1.0, y, z)
    c = _slope3(hash2(seed, i, k + 1), x, y, z - 1.0)
    d = _slope3(hash2(seed, i + 1, k + 1), x - 1.0, y, z - 1.0)
    a += u * (b - a)
    c += u * (d - c)
    return a + w * (c - a)


@inner
def noise3(seed, x, y, z):
    """Gradient noise of standard deviation about 0.3, features of length 1."""
    i, j, k = np.int64(math.floor(x)), np.int64(math.floor(y)), np.int64(math.floor(z))
    x, y, z = x - i, y - j, z - k
    u, w = fade(x), fade(z)
    low = _plane3(seed + j * _A, i, k, x, y, z, u, w)
    high = _plane3(seed + (j + 1) * _A, i, k, x, y - 1.0, z, u, w)
    return low + fade(y) * (high - low)
