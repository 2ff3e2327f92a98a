"""Textures of trees, plants, and of what is made of them; see `textures.py`."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel.picture.textures import (
    SIZE,
    Colour,
    cut,
    draw,
    fill,
    ground,
    noise,
)

WOODS: dict[str, tuple[Colour, Colour]] = {
    "oak": ((104, 82, 50), (180, 144, 90)),
    "birch": ((216, 215, 210), (196, 180, 122)),
    "spruce": ((60, 40, 20), (122, 90, 52)),
    "jungle": ((92, 74, 30), (166, 122, 86)),
    "acacia": ((106, 98, 88), (174, 94, 54)),
}
"""Colours of bark and of wood."""

LEAVES = {"oak": 152, "birch": 160, "spruce": 136, "jungle": 160, "acacia": 150}
"""Grey of the leaves, before their tint."""


def _bark(name: str) -> np.ndarray:
    colour, _ = WOODS[name]
    if name == "birch":
        out = fill(colour, 9 * noise(50, 1, 4))
        out[(noise(51, 4, 1) > 0.62) & (noise(52, 1, 2) > -0.7), :3] = (38, 36, 34)
        return out
    stripes = 0.75 * noise(53, 1, 16) + 0.25 * noise(54, 1, 3)
    value = 0.30 * max(colour) * stripes
    return fill(colour, np.where(stripes < -0.35, value * 1.35, value))


def _rings(name: str) -> np.ndarray:
    bark, wood = WOODS[name]
    v, u = np.mgrid[:SIZE, :SIZE] - 7.5
    distance = np.maximum(np.abs(u), np.abs(v)).astype(int)
    out = fill(wood, np.where(distance % 2 == 0, -34, 8) + 5 * noise(55))
    out[distance >= 7, :3] = np.asarray(bark) + 10 * noise(56)[distance >= 7, None]
    return out


def _leaves(grey: float, salt: int) -> np.ndarray:
    leaf = noise(salt) + 0.6 * noise(salt + 1, 2, 2)
    out = fill((grey,) * 3, 44 * leaf, tint=2)
    out[leaf < -0.62, :3] = 30
    return out


def _planks() -> np.ndarray:
    out = fill(
        (164, 131, 80), 8 * noise(70, 4, 1) + 5 * noise(71) + 7 * noise(72, 16, 4)
    )
    out[3::4, :, :3] *= 0.68
    for row, column in ((0, 3), (4, 11), (8, 6), (12, 14)):
        out[row : row + 3, column, :3] *= 0.74
    return out


def _table(place: str) -> np.ndarray:
    if place == "top":
        out = fill((182, 118, 62), 8 * noise(73, 3, 1))
        out[[0, 15], :, :3] = out[:, [0, 15], :3] = (96, 62, 30)
        out[[5, 10], 1:15, :3] = (104, 66, 32)
        out[1:15, [5, 10], :3] = (104, 66, 32)
        return out
    saw = """sssss.....hh..
             .sss..b..hhhh.
             ..s...b..hhhh.
             ......b...bb..
             ss....b...bb..
             ssss.bb...bb..
             ss....b...bb..
             ......b...bb.."""
    front = """..gggg...ggg..
               .gggggg..ggg..
               ...bb....gbg..
               ...bb.....b...
               ...bb.....b...
               ...bb.....b...
               ...bb.....b...
               ..........b..."""
    out = _planks()
    out[:3, :, :3] = np.asarray((182, 118, 62)) + 8 * noise(73, 3, 1)[:3, :, None]
    out[3, :, :3] = (70, 44, 20)
    out[4:, [0, 15], :3] = (84, 54, 26)
    out[15, :, :3] = (84, 54, 26)
    colours = {
        "s": (205, 205, 205), "h": (120, 120, 124), "g": (176, 176, 180),
        "b": (88, 58, 30),
    }  # fmt: skip
    return draw(out, saw if place == "side" else front, colours)


def _furnace(place: str) -> np.ndarray:
    out = fill((122, 122, 122), 8 * noise(74) + 8 * noise(75, 4, 2))
    out[[0, 15], :, :3] = (84, 84, 84)
    out[:, [0, 15], :3] = (84, 84, 84)
    if place == "top":
        return out
    out[[1, 8], 1:15, :3] = (158, 158, 158)
    if place == "front":
        mouth = """..kkkkkkkk..
                   .kkkkkkkkkk.
                   ............
                   gggggggggggg
                   .kkkkkkkkkk.
                   kkkkkkkkkkkk
                   kkrroorrookk
                   kkorroyrrokk"""
        colours = {
            "k": (24, 22, 22), "g": (86, 86, 86), "r": (92, 36, 16),
            "o": (150, 70, 24), "y": (190, 120, 40),
        }  # fmt: skip
        out = draw(out, mouth, colours)
    return out


def _pumpkin(place: str) -> np.ndarray:
    ribs = np.abs(np.sin(np.arange(SIZE) * np.pi / 4 + 0.4))[None]
    out = fill((206, 118, 24), 40 * (ribs - 0.6) + 8 * noise(76))
    if place == "top":
        return draw(out, "ss gg sg", {"s": (110, 92, 30), "g": (84, 110, 30)})
    if place == "front":
        face = """.kk....kk.
                  kkkk..kkkk
                  .kk....kk.
                  ....kk....
                  ..........
                  kk.kk.kk.k
                  .kkkkkkkk.
                  ..kk..kk.."""
        out = draw(out, face, {"k": (58, 30, 8)})
    return out


def _cactus(place: str) -> np.ndarray:
    if place == "top":
        out = fill((100, 160, 72), 10 * noise(77))
        out[[0, 15], :, :3] = out[:, [0, 15], :3] = (40, 92, 34)
        return out
    stripes = np.where(np.arange(SIZE) % 4 == 1, -36, 6)[None]
    out = fill((76, 138, 52), stripes + 8 * noise(78))
    out[(noise(79) > 0.8) & (np.arange(SIZE) % 4 == 3), :3] = (226, 226, 196)
    out[:, [0, 15], :3] = (40, 92, 34)
    return out


def trees() -> dict[str, np.ndarray]:
    """Textures of logs, leaves, and blocks with a front, by name."""
    out = {"planks": _planks()}
    for salt, name in enumerate(WOODS):
        out[f"{name}_bark"] = _bark(name)
        out[f"{name}_rings"] = _rings(name)
        out[f"{name}_leaves"] = _leaves(LEAVES[name], 90 + 2 * salt)
    for place in ("top", "side", "front"):
        out[f"table_{place}"] = _table(place)
        out[f"furnace_{place}"] = _furnace(place)
        out[f"pumpkin_{place}"] = _pumpkin(place)
    out["cactus_top"], out["cactus_side"] = _cactus("top"), _cactus("side")
    return out


def _blades(salt: int, grey: float, low: int, high: int, tint: int = 2) -> np.ndarray:
    """Upright blades, each of its own height and shade."""
    height = low + (high - low) * (noise(salt)[0] + 1) / 2
    bent = np.where(noise(salt + 1, 3, 3) > 0, 1, 0)
    v, u = np.mgrid[:SIZE, :SIZE]
    column = (u + bent * (v < 8)) % SIZE
    there = (SIZE - v <= height[column]) & (noise(salt + 2, 1, 16)[0][column] > -0.35)
    out = fill((grey,) * 3, 30 * noise(salt + 3, 1, 16) + 12 * noise(salt + 4), tint)
    out[~there] = 0
    return out


def _fern() -> np.ndarray:
    v, u = np.mgrid[:SIZE, :SIZE]
    off = np.abs(u - 7.5)
    frond = (off < (v - 1) * 0.55) & ((v + np.minimum(off, 9).astype(int)) % 3 > 0)
    out = fill((128, 128, 128), 26 * noise(120), 2)
    out[~frond] = 0
    return out


FLOWER = """..f.f..
            .fffff.
            .ffcff.
            ..fff..
            ...s...
            ...s.s.
            .s.sss.
            ..sss..
            ...s..."""
MUSHROOM = """..mmmm..
              .mmmwmm.
              mmwmmmmm
              mmmmmmwm
              ...pp...
              ...pp...
              ...pp..."""
BUSH = """.b....b...b.
          .bb..bb..b..
          ..b..b..bb.b
          b.bb.b.bb.bb
          bb.bbbbb.bb.
          .bb.bbb.bb..
          ..bbbbbbb...
          ....bbb.....
          .....b......"""
SPROUT = """..lll...
            .lllll..
            llldlll.
            .lldllll
            ..lldll.
            l.lbl.l.
            lllblll.
            .llbll..
            ...b....
            ...b...."""


def plants() -> dict[str, np.ndarray]:
    """Textures of plants, with holes, by name."""
    stem = {"s": (62, 124, 40)}
    reeds = fill((150, 190, 96), 18 * noise(121, 1, 5))
    reeds[:, [0, 3, 4, 7, 8, 11, 12, 15]] = 0
    reeds[[4, 10], :, :3] *= 0.75
    vine = fill((120, 120, 120), 34 * noise(122), 2)
    vine[(noise(123, 2, 4) + 0.6 * noise(124)) < -0.2] = 0
    pad = fill((32, 128, 48), 14 * noise(125, 2, 2))
    v, u = np.mgrid[:SIZE, :SIZE] - 7.5
    pad[(np.hypot(u, v) > 7.6) | ((np.abs(u) < 1.2) & (v < 0))] = 0
    return {
        "tall_grass": _blades(130, 150, 6, 15),
        "fern": _fern(),
        "double_plant": _blades(140, 140, 15, 18),
        "double_plant_top": _blades(140, 150, 5, 13),
        "dead_bush": cut(BUSH, {"b": (124, 84, 44)}),
        "dandelion": cut(FLOWER, {"f": (250, 226, 40), "c": (236, 190, 20), **stem}),
        "poppy": cut(FLOWER, {"f": (220, 26, 20), "c": (60, 20, 16), **stem}),
        "brown_mushroom": cut(
            MUSHROOM,
            {"m": (150, 112, 82), "w": (176, 140, 110), "p": (210, 198, 180)},
        ),
        "red_mushroom": cut(
            MUSHROOM, {"m": (206, 28, 24), "w": (244, 240, 236), "p": (214, 206, 192)}
        ),
        "reeds": reeds,
        "vine": vine,
        "lily_pad": pad,
        "sapling": cut(
            SPROUT, {"l": (72, 132, 44), "d": (46, 92, 28), "b": (96, 70, 40)}
        ),
    }


def all_blocks() -> dict[str, np.ndarray]:
    """Textures of all blocks, by name."""
    return {**ground(), **trees(), **plants()}
