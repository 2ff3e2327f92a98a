"""All textures in one array, smaller versions included, and what compiled code needs
to know to paint a block: its shape, the texture of each face, its tint.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel.land import climate
from dreamerv3_tf.envs.minecraft.voxel.picture.skins import skins
from dreamerv3_tf.envs.minecraft.voxel.picture.wood import WOODS, all_blocks

LEVELS = 5
"""Versions of a texture: 16, 8, 4, 2 and 1 texels wide."""

LEVEL_AT = np.array([0, 256, 320, 336, 340], np.int64)
LAYER_TEXELS = 341
"""Where a version begins in its texture, and texels of all versions."""

OPEN, CUBE, LIQUID, CROSS, LAYER, PAD, VINES = range(7)
"""Shapes of blocks. Those after `LIQUID` are cut out of their cell."""


def _table(dtype, default, entries: dict) -> np.ndarray:
    table = np.full(256, default, dtype)
    for block, value in entries.items():
        table[block] = value
    return table


SHAPE = _table(
    np.uint8,
    CUBE,
    {
        blocks.AIR: OPEN,
        **dict.fromkeys(blocks.WATERS, LIQUID),
        **dict.fromkeys(blocks.PLANTS, CROSS),
        blocks.SNOW_LAYER: LAYER, blocks.LILY_PAD: PAD, blocks.VINE: VINES,
    },
)  # fmt: skip

UNTINTED, GRASS, FOLIAGE, BIRCH, SPRUCE = range(5)
"""Tints; those of grass and foliage follow the biome."""

TINT = _table(
    np.uint8,
    UNTINTED,
    {
        **dict.fromkeys(
            (blocks.GRASS, blocks.TALL_GRASS, blocks.FERN, blocks.DOUBLE_PLANT,
             blocks.DOUBLE_PLANT_TOP), GRASS,
        ),
        **dict.fromkeys(
            (blocks.OAK_LEAVES, blocks.JUNGLE_LEAVES, blocks.ACACIA_LEAVES,
             blocks.VINE), FOLIAGE,
        ),
        blocks.BIRCH_LEAVES: BIRCH, blocks.SPRUCE_LEAVES: SPRUCE,
    },
)  # fmt: skip

BIOME_TINTS = {
    "ocean": ((142, 185, 113), (113, 167, 77)),
    "river": ((142, 185, 113), (113, 167, 77)),
    "beach": ((145, 189, 89), (119, 171, 47)),
    "plains": ((145, 189, 89), (119, 171, 47)),
    "forest": ((121, 192, 90), (89, 174, 48)),
    "birch_forest": ((136, 187, 103), (107, 169, 65)),
    "taiga": ((134, 183, 131), (104, 164, 100)),
    "jungle": ((89, 201, 60), (48, 187, 11)),
    "savanna": ((191, 183, 85), (174, 164, 42)),
    "desert": ((191, 183, 85), (174, 164, 42)),
    "snowy_plains": ((128, 180, 151), (96, 161, 123)),
    "swamp": ((106, 112, 57), (106, 112, 57)),
    "extreme_hills": ((138, 182, 137), (109, 163, 107)),
}
"""Colours that grass and leaves have in each biome."""


def _tints() -> np.ndarray:
    """float32 `[256, 5, 3]`, factors on red, green and blue by biome and tint."""
    out = np.ones((256, 5, 3), np.float32)
    default = BIOME_TINTS["plains"]
    for biome in range(256):
        known = biome < len(climate.BIOMES)
        grass, leaves = BIOME_TINTS[climate.BIOMES[biome]] if known else default
        out[biome, GRASS], out[biome, FOLIAGE] = grass, leaves
        out[biome, BIRCH], out[biome, SPRUCE] = (128, 167, 85), (97, 153, 97)
    out[:, 1:] /= 255
    return out


TINTS = _tints()

ENDS = {
    "grass": ("grass_side", "grass_top", "dirt"),
    "podzol": ("podzol_side", "podzol_top", "dirt"),
    "sandstone": ("sandstone_side", "sandstone_top", "sandstone_top"),
    "crafting_table": ("table_side", "table_top", "planks"),
    "furnace": ("furnace_front", "furnace_top", "furnace_top"),
    "pumpkin": ("pumpkin_side", "pumpkin_top", "pumpkin_top"),
    "cactus": ("cactus_side", "cactus_top", "cactus_top"),
    "snow_layer": ("snow", "snow", "snow"),
    **{f"{wood}_log": (f"{wood}_bark", *[f"{wood}_rings"] * 2) for wood in WOODS},
}
"""Textures of sides, top and bottom of blocks that have more than one."""

FRONT = {blocks.CRAFTING_TABLE: "table_front", blocks.PUMPKIN: "pumpkin_front"}
"""Textures of the sides towards -z and +z, where they are others."""


def _faces(number: dict[str, int]) -> np.ndarray:
    """int64 `[256, 6]`, texture of each face of each block."""
    out = np.full((256, 6), number["stone"], np.int64)
    for block, name in blocks.NAMES.items():
        kind = "water" if blocks.WATERY[block] else name
        kind = "lava" if blocks.FIERY[block] else kind
        if kind in ENDS:
            side, top, bottom = (number[texture] for texture in ENDS[kind])
            out[block] = side, side, bottom, top, side, side
        elif kind in number:
            out[block] = number[kind]
    for block, name in FRONT.items():
        out[block, 4:] = number[name]
    return out


def _halve(texture: np.ndarray) -> np.ndarray:
    """The next smaller version; holes don't darken what is around them."""
    wide = len(texture) // 2
    parts = (
        texture.reshape(wide, 2, wide, 2, 4).swapaxes(1, 2).reshape(wide, wide, 4, 4)
    )
    there = (parts[..., 3:] > 0).astype(np.float32)
    count = there.sum(2)
    mean = (parts * there).sum(2) / np.maximum(count, 1)
    return np.where(count >= 1, mean, 0).astype(np.float32)


def _pack(texture: np.ndarray) -> np.ndarray:
    """All versions of a texture, uint32 `[341]`: red, green, blue, tint in 8 bits each.

    The tint is 0 in a hole, then 1 for none to 255 for all.
    """
    parts = []
    while True:
        tint = np.where(texture[..., 3] > 0, 1 + (texture[..., 3] - 1) * 254, 0)
        rgbt = np.concatenate([texture[..., :3], tint[..., None]], -1)
        bytes_ = np.clip(np.round(rgbt), 0, 255).astype(np.uint32)
        word = bytes_ << np.array([0, 8, 16, 24], np.uint32)
        parts.append(np.bitwise_or.reduce(word, -1).ravel())
        if len(texture) == 1:
            return np.concatenate(parts)
        texture = _halve(texture)


TEXTURES = {**all_blocks(), **skins()}
"""All textures by name."""

LAYERS = {name: index for index, name in enumerate(TEXTURES)}
"""Number of each texture."""

TEXELS = np.concatenate([_pack(texture) for texture in TEXTURES.values()])
FACES = _faces(LAYERS)
SNOWY_SIDE = LAYERS["grass_snowy"]
for _array in (TEXELS, FACES, SHAPE, TINT, TINTS, LEVEL_AT):
    _array.setflags(write=False)


def texture(name: str) -> np.ndarray:
    """A texture as uint8 `[16, 16, 4]`, the fourth 0 for holes and 255 elsewhere."""
    start = LAYERS[name] * LAYER_TEXELS
    words = TEXELS[start : start + 256].reshape(16, 16)
    out = np.stack([words >> shift & 255 for shift in (0, 8, 16, 24)], -1)
    out[..., 3] = np.where(out[..., 3] > 0, 255, 0)
    return out.astype(np.uint8)
