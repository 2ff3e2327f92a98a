"""Textures of blocks, 16x16 texels, painted by arithmetic and from small drawings.

A texture is float32 `[16, 16, 4]`: red, green, blue (0 to 255) and a fourth number, 0
where the texture has a hole, 1 where it is as painted, 2 where the biome tints it.
The noise comes from integer hashes, so textures are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

SIZE = 16
Colour = Sequence[float]


def noise(salt: int, wide: int = 1, tall: int = 1) -> np.ndarray:
    """Noise in [-1, 1), float32 `[16, 16]`, in patches of `tall` x `wide` texels."""
    v, u = np.mgrid[:SIZE, :SIZE].astype(np.uint64)
    word = (u // np.uint64(wide)) * np.uint64(0x9E3779B1)
    word ^= (v // np.uint64(tall)) * np.uint64(0x85EBCA77) ^ np.uint64(
        salt * 0xC2B2AE3D
    )
    for shift in (15, 13, 16):
        word ^= word >> np.uint64(shift)
        word = word * np.uint64(0x2C1B3C6D) & np.uint64(0xFFFFFFFF)
    return (word >> np.uint64(8)).astype(np.float32) / 2.0**23 - 1.0


def fill(colour: Colour, value: np.ndarray | float = 0.0, tint: int = 1) -> np.ndarray:
    """A texture of one colour, made lighter or darker by `value` (0 to 255)."""
    out = np.empty((SIZE, SIZE, 4), np.float32)
    value = np.broadcast_to(np.asarray(value, np.float32), (SIZE, SIZE))
    out[..., :3] = np.clip(np.asarray(colour, np.float32) + value[..., None], 0, 255)
    out[..., 3] = tint
    return out


def draw(base: np.ndarray, art: str, colours: Mapping[str, Colour]) -> np.ndarray:
    """A texture with a drawing on it: rows of letters, a colour for each; `.` is none.

    A drawing may be smaller than the texture; it lies in the middle.
    """
    out, rows = base.copy(), art.split()
    top, left = (SIZE - len(rows)) // 2, (SIZE - len(rows[0])) // 2
    for j, row in enumerate(rows):
        for i, letter in enumerate(row):
            if letter != ".":
                out[top + j, left + i, :3] = colours[letter]
                out[top + j, left + i, 3] = max(1, base[top + j, left + i, 3])
    return out


def cut(art: str, colours: Mapping[str, Colour], tint: int = 1) -> np.ndarray:
    """A drawing with a hole wherever it has a `.`; its lowest row is the texture's."""
    rows = art.split()
    out = np.zeros((SIZE, SIZE, 4), np.float32)
    left = (SIZE - len(rows[0])) // 2
    for j, row in enumerate(rows, SIZE - len(rows)):
        for i, letter in enumerate(row):
            if letter != ".":
                out[j, left + i] = (*colours[letter], tint)
    return out


def _rim(depth: int = 1) -> np.ndarray:
    v, u = np.mgrid[:SIZE, :SIZE]
    distance = np.minimum(np.minimum(u, 15 - u), np.minimum(v, 15 - v))
    return distance < depth


def _cobbles(salt: int, points: int = 11) -> tuple[np.ndarray, np.ndarray]:
    """Rounded stones: which stone each texel is of, and whether it is a gap."""
    rng = [
        (noise(salt + i)[3, 5] + 1, noise(salt + i)[7, 2] + 1) for i in range(points)
    ]
    v, u = np.mgrid[:SIZE, :SIZE]
    far = []
    for x, y in rng:
        du = np.abs(u - x * 8)
        dv = np.abs(v - y * 8)
        far.append(np.hypot(np.minimum(du, 16 - du), np.minimum(dv, 16 - dv) * 1.25))
    ordered = np.sort(far, axis=0)
    return np.argmin(far, axis=0), ordered[1] - ordered[0] < 1.0


def _stone() -> np.ndarray:
    return fill((126, 126, 126), 7 * noise(1) + 8 * noise(2, 4, 1) + 4 * noise(3, 2, 2))


def _cobblestone(moss: bool = False) -> np.ndarray:
    stone, gap = _cobbles(40)
    value = 16 * np.sin(stone * 2.4) + 9 * noise(4)
    out = fill((128, 128, 128), np.where(gap, -55, value))
    if moss:
        green = noise(5, 3, 2) + 0.5 * noise(6) > 0.15
        out[green, :3] = out[green, :3] * (0.62, 0.85, 0.5)
    return out


def _bedrock() -> np.ndarray:
    return fill((84, 84, 84), 48 * np.sign(noise(7, 2, 2)) + 26 * noise(8))


def _diorite() -> np.ndarray:
    return fill(
        (184, 184, 187), np.where(noise(10, 2, 1) > 0.3, -45, 30) + 14 * noise(11)
    )


def _obsidian() -> np.ndarray:
    out = fill((21, 18, 31), 8 * noise(12, 2, 2))
    out[noise(13, 2, 1) > 0.62, :3] = (62, 45, 92)
    return out


def _dirt() -> np.ndarray:
    out = fill((134, 96, 67), 15 * noise(14) + 9 * noise(15, 2, 2))
    out[noise(16) > 0.9, :3] = (150, 140, 128)
    return out


def _side(cover: np.ndarray) -> np.ndarray:
    """Dirt with something on top that hangs over it, 2 to 4 texels deep."""
    out = _dirt()
    deep = 2.6 + 1.3 * noise(17)[0]
    over = np.arange(SIZE)[:, None] < deep[None]
    out[over] = cover[over]
    return out


def _gravel() -> np.ndarray:
    stone, gap = _cobbles(60, 20)
    value = 22 * np.sin(stone * 1.9) + 10 * noise(18)
    out = fill((133, 126, 124), np.where(gap, -34, value))
    out[np.isin(stone, (2, 7, 11)) & ~gap, :3] *= (1.0, 0.86, 0.76)
    return out


def _sandstone(carved: bool) -> np.ndarray:
    out = fill((217, 204, 156), 5 * noise(19, 3, 1))
    if carved:
        out[:3, :, :3] += 8
        out[3, :, :3] -= 40
        out[4:8, :, :3] -= 12 * (noise(20, 4, 2)[4:8, :, None] > 0)
        out[9, :, :3] -= 26
        out[13:, :, :3] -= 22
    return np.clip(out, 0, 255)


GEMS = {
    "coal": ("""..kk....kkk.
                .kkkk...kkkk
                .kkk....kkk.
                ......k.....
                kkk..kkk....
                kkkk.kkkk.kk
                .kk...kk.kkk
                ..........k.
                ..kkk..kkk..
                .kkkk.kkkkk.
                ..kk...kkk..""", {"k": (38, 38, 38)}),
    "iron": ("""..tt........
                .tttt..ttt..
                .ddtt.ttttt.
                ......ddtd..
                ...tt.......
                .ttttt...tt.
                .dtttd..tttt
                ..dd....ddtd
                ......tt....
                .ttt.tttt...
                ttttt.dtt...
                .ddd........""", {"t": (226, 182, 150), "d": (171, 129, 102)}),
    "gold": ("""..yy....yy..
                .yyyl..yyyy.
                ..dd....dyd.
                .....y......
                .yy.yyy..yl.
                ylyy.dd.yyyy
                .dd.......dd
                ....yyl.....
                .y.yyyyy.yy.
                yyy.ddd.yyyy
                .d.......dd.""", {"y": (250, 226, 56), "l": (255, 252, 170),
                                  "d": (199, 160, 28)}),
    "redstone": ("""..rr....rr..
                .rrrb..rrrr.
                .drr....drd.
                ............
                .rr.rr..rrb.
                rbrr.rr.rrrr
                .dd..dd..dd.
                ....rr......
                rr.rrbr..rr.
                drr.dd..rbrr
                .d.......dd.""", {"r": (206, 10, 10), "b": (255, 70, 60),
                                  "d": (128, 0, 0)}),
    "lapis": ("""..bb.....bl.
                .bbbl...bbbb
                ..dd.bb..db.
                ....bbbb....
                .bb..dd.bb..
                bblb...bbbl.
                .ddb....dd..
                .....bb.....
                .bb.bbbb.bb.
                bbbb.dd.bbbl
                .dd......dd.""", {"b": (26, 72, 190), "l": (80, 130, 240),
                                  "d": (14, 38, 116)}),
    "diamond": ("""...cc.......
                ..cwcc..cc..
                ..cccd.cwcc.
                ...dd..cccd.
                .cc.....dd..
                cwcc..cc....
                cccd.cwcc.cc
                .dd..cccdcwc
                ......dd.ccd
                .ccc......d.
                cwccd.ccc...
                .cdd.cwccd..
                ......dd....""", {"c": (80, 225, 225), "w": (215, 255, 252),
                                  "d": (34, 146, 152)}),
    "emerald": ("""....gg......
                ...gwwg.....
                ...gegg.gg..
                ....gg.gweg.
                .gg.....gg..
                gweg..gg....
                .gg..gwwg.gg
                .....geggggw
                ......gg..gg
                ..ggg.......
                .gwweg......
                ..ggg.......""", {"g": (18, 190, 78), "w": (190, 255, 210),
                                  "e": (0, 120, 50)}),
}  # fmt: skip
"""Drawings of what is in the stone of an ore."""


def _ores() -> dict[str, np.ndarray]:
    return {f"{name}_ore": draw(_stone(), *gem) for name, gem in GEMS.items()}


def ground() -> dict[str, np.ndarray]:
    """Textures of rock, ores, earth, and fluids, by name."""
    sand = 8 * noise(21) + 5 * noise(22, 2, 1)
    grass = fill((156, 156, 156), 20 * noise(23) + 14 * noise(24, 1, 2), tint=2)
    podzol = fill((100, 70, 32), 22 * noise(25, 2, 1))
    snow = fill((240, 248, 252), 5 * noise(26))
    swirl = np.sin(
        np.hypot(*(np.mgrid[:SIZE, :SIZE] - 7.5)) * 1.1 + 2 * noise(27, 4, 4)
    )
    hot = noise(28, 3, 2) + 0.6 * swirl
    lava = fill((212, 92, 14), 18 * hot)
    lava[hot > 0.7, :3] = (248, 176, 52)
    lava[hot < -0.8, :3] = (168, 52, 8)
    return {
        "stone": _stone(),
        "granite": fill((153, 114, 99), np.where(noise(9, 2, 1) > 0.2, -20, 12)
                        + 12 * noise(29)),
        "diorite": _diorite(),
        "andesite": fill((134, 135, 137), np.where(noise(30, 2, 2) > 0.4, -20, 8)
                         + 8 * noise(31)),
        "cobblestone": _cobblestone(),
        "mossy_cobblestone": _cobblestone(moss=True),
        "bedrock": _bedrock(),
        "obsidian": _obsidian(),
        "dirt": _dirt(),
        "grass_top": grass,
        "grass_side": _side(grass),
        "grass_snowy": _side(snow),
        "podzol_top": podzol,
        "podzol_side": _side(podzol),
        "sand": fill((219, 207, 163), sand),
        "red_sand": fill((190, 102, 33), sand),
        "gravel": _gravel(),
        "clay": fill((160, 167, 179), 6 * noise(32, 3, 1) + 5 * noise(33)),
        "sandstone_side": _sandstone(carved=True),
        "sandstone_top": _sandstone(carved=False),
        "snow": snow,
        "ice": fill((150, 186, 250), 9 * noise(34, 4, 1) + 7 * (noise(35) > 0.8)),
        "hardened_clay": fill((151, 93, 67), 5 * noise(36, 5, 1) + 3 * noise(37)),
        "water": fill((46, 78, 212), 12 * noise(38, 4, 1) + 8 * swirl),
        "lava": lava,
        **_ores(),
    }  # fmt: skip
