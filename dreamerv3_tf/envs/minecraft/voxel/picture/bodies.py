"""Shapes of animals and monsters: boxes with textures; and what items look like."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft import items
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.picture.atlas import CUBE, FACES, LAYERS, SHAPE

Box = tuple[float, float, float, float, float, float, str, str]
"""Middle x (to its right), y (up), z (ahead) and width, height, depth, all in 1/16
block; texture of the box and of its front."""


def _box(x, y, z, wide, tall, deep, skin: str, front: str = "") -> Box:
    return x, y, z, wide, tall, deep, skin, front or skin


def _legs(x: float, z: float, tall: float, wide: float, skin: str) -> list[Box]:
    return [
        _box(sx * x, tall / 2, sz * z, wide, tall, wide, skin)
        for sx in (-1, 1)
        for sz in (-1, 1)
    ]


def _biped(skin: str, face: str, body: str, legs: str, limb: float) -> list[Box]:
    """A body on two legs, with its arms ahead."""
    return [
        _box(-2, 6, 0, limb, 12, limb, legs),
        _box(2, 6, 0, limb, 12, limb, legs),
        _box(0, 18, 0, 8, 12, 4, body),
        _box(0, 28, 0, 8, 8, 8, skin, face),
        _box(-6, 21, 5, limb, limb, 12, skin),
        _box(6, 21, 5, limb, limb, 12, skin),
    ]


SHAPES: dict[int, list[Box]] = {
    st.COW: [
        _box(0, 17, 0, 12, 10, 18, "cow_hide"),
        _box(0, 20, 12, 8, 8, 6, "cow_hide", "cow_face"),
        *_legs(4, 6, 12, 4, "cow_leg"),
        _box(-4.5, 23.5, 12, 1.5, 3, 1.5, "bone"),
        _box(4.5, 23.5, 12, 1.5, 3, 1.5, "bone"),
    ],
    st.PIG: [
        _box(0, 10, 0, 10, 8, 16, "pig_skin"),
        _box(0, 12, 12, 8, 8, 8, "pig_skin", "pig_face"),
        *_legs(3, 6, 6, 4, "pig_skin"),
    ],
    st.SHEEP: [
        _box(0, 16, 0, 11, 10, 17, "sheep_wool"),
        _box(0, 19, 11, 7, 7, 8, "sheep_wool", "sheep_face"),
        *_legs(3, 6, 12, 4, "sheep_leg"),
    ],
    st.CHICKEN: [
        _box(0, 7.5, 0, 8, 6, 8, "chicken_down"),
        _box(0, 12, 5, 4, 6, 3, "chicken_down", "chicken_face"),
        _box(0, 12, 7.5, 4, 2, 2, "chicken_beak"),
        _box(0, 10, 7, 2, 2, 1, "chicken_wattle"),
        _box(-2, 2.5, 0, 1.5, 5, 1.5, "chicken_beak"),
        _box(2, 2.5, 0, 1.5, 5, 1.5, "chicken_beak"),
    ],
    st.ZOMBIE: _biped("zombie_skin", "zombie_face", "zombie_shirt", "zombie_legs", 4),
    st.SKELETON: _biped("bone", "skeleton_face", "skeleton_ribs", "bone", 2),
    st.CREEPER: [
        *_legs(2, 4, 6, 4, "creeper_skin"),
        _box(0, 12, 0, 8, 12, 4, "creeper_skin"),
        _box(0, 22, 0, 8, 8, 8, "creeper_skin", "creeper_face"),
    ],
    st.SPIDER: [
        _box(0, 9, -8, 10, 8, 12, "spider_hair"),
        _box(0, 9, 1, 6, 6, 6, "spider_hair"),
        _box(0, 9, 8, 8, 8, 8, "spider_hair", "spider_face"),
        *(_box(0, 6, z, 32, 2, 2, "spider_hair") for z in (-5, -1, 3, 7)),
    ],
    st.ARROW: [
        _box(0, 2, 0, 1, 1, 12, "table_side"),
        _box(0, 2, 6, 2, 2, 2, "bone"),
        _box(0, 2, -6, 3, 3, 3, "chicken_down"),
    ],
}


def _arrays() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Range of boxes by kind; middle and half size of boxes in blocks; textures."""
    ranges = np.zeros((len(st.KINDS), 2), np.int64)
    boxes: list[Box] = []
    for kind, shape in SHAPES.items():
        ranges[kind] = len(boxes), len(boxes) + len(shape)
        boxes.extend(shape)
    size = np.array([box[:6] for box in boxes], np.float32) / 16
    size[:, 3:] /= 2
    skins = np.array([[LAYERS[box[6]], LAYERS[box[7]]] for box in boxes], np.int64)
    return ranges, size, skins


BODIES, BOXES, SKINS = _arrays()

ITEM_HALF, FALLING_HALF = np.float32(0.14), np.float32(0.49)
"""Half the width of an item and of a falling block, blocks."""

LIFT, HOVER = np.float32(0.1), np.float32(0.06)
"""How far an item is above the ground, and how far it goes up and down, blocks."""


def _balls() -> np.ndarray:
    """float32 `[kinds, 2]`: a ball around an entity, its middle above the feet, and its
    radius, blocks."""
    out = np.zeros((len(st.KINDS), 2), np.float32)
    out[st.ITEM] = LIFT + ITEM_HALF, ITEM_HALF * 3**0.5 + HOVER
    out[st.FALLING] = FALLING_HALF, FALLING_HALF * 3**0.5
    for kind in SHAPES:
        boxes = BOXES[slice(*BODIES[kind])]
        middle, half = boxes[:, :3].copy(), boxes[:, 3:]
        bottom, top = (middle - half)[:, 1].min(), (middle + half)[:, 1].max()
        middle[:, 1] -= (bottom + top) / 2
        corners = np.linalg.norm(abs(middle) + half, axis=1)
        out[kind] = (bottom + top) / 2, corners.max() * 1.001
    return out


BALLS = _balls()

_NAMED = {
    "log": blocks.OAK_LOG, "log2": blocks.ACACIA_LOG, "leaves": blocks.OAK_LEAVES,
    "snow_layer": blocks.SNOW, "tallgrass": blocks.TALL_GRASS,
    "yellow_flower": blocks.DANDELION, "red_flower": blocks.POPPY,
    "waterlily": blocks.LILY_PAD, "deadbush": blocks.DEAD_BUSH, "wool": blocks.SNOW,
}  # fmt: skip
"""Blocks of items whose names differ."""


def _looks() -> tuple[np.ndarray, np.ndarray]:
    """By item: the block whose cube it shows, 0 for none; the texture it shows else."""
    named = {name: block for block, name in blocks.NAMES.items() if block} | _NAMED
    cube = np.zeros(len(items.NAMES), np.int64)
    layer = np.full(len(items.NAMES), LAYERS["item/unknown"], np.int64)
    for item, name in enumerate(items.NAMES):
        block = named.get(name, blocks.AIR)
        if f"item/{name}" in LAYERS:
            layer[item] = LAYERS[f"item/{name}"]
        elif block and SHAPE[block] == CUBE:
            cube[item] = block
        elif block:
            layer[item] = FACES[block, 4]
    return cube, layer


ITEM_BLOCK, ITEM_LAYER = _looks()
