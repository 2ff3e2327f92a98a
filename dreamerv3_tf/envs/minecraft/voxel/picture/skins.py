"""Textures of animals, monsters and items, 16x16 texels; see `textures.py`."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel.picture.icons import icons
from dreamerv3_tf.envs.minecraft.voxel.picture.textures import Colour, draw, fill, noise

DARK: Colour = (20, 18, 18)


def _face(skin: np.ndarray, art: str, colours: dict[str, Colour]) -> np.ndarray:
    """A face: a drawing of 8x8 letters, each of which covers 2x2 texels."""
    rows = ["".join(letter * 2 for letter in row) for row in art.split()]
    return draw(skin, " ".join(row for row in rows for _ in (0, 1)), colours)


def _animals() -> dict[str, np.ndarray]:
    brown = fill((70, 54, 42), 8 * noise(200))
    hide = brown.copy()
    hide[noise(201, 5, 5) + 0.3 * noise(202, 2, 2) > 0.25, :3] = (226, 224, 222)
    pink = fill((240, 165, 162), 9 * noise(203, 2, 2))
    wool = fill((232, 232, 232), 12 * noise(204, 2, 2))
    down = fill((240, 240, 240), 9 * noise(205, 2, 1))
    eyes = {"k": DARK, "w": (244, 244, 244)}
    return {
        "cow_hide": hide,
        "cow_leg": brown,
        "cow_face": _face(
            brown,
            "..ww.... ..ww.... kw..ww.. kw....wk ...ww..k ..pppp.. .pkppkp. .pppppp.",
            {**eyes, "p": (208, 170, 160)},
        ),
        "pig_skin": pink,
        "pig_face": _face(
            pink,
            "........ ........ kw....wk ........ ..ssss.. ..sddss. ..ssss.. ........",
            {**eyes, "s": (222, 126, 126), "d": (150, 70, 74)},
        ),
        "sheep_wool": wool,
        "sheep_leg": fill((214, 180, 158), 8 * noise(206)),
        "sheep_face": _face(
            fill((206, 170, 146), 6 * noise(207)),
            "wwwwwwww wwwwwwww w......w kw....wk ........ ..pppp.. ..pddp.. ........",
            {"k": DARK, "w": (236, 236, 236), "p": (224, 150, 146), "d": (150, 84, 82)},
        ),
        "chicken_down": down,
        "chicken_face": _face(
            down,
            "........ ........ k......k ........ ........ ........ ........ ........",
            eyes,
        ),
        "chicken_beak": fill((236, 176, 40), 8 * noise(208)),
        "chicken_wattle": fill((204, 24, 20), 8 * noise(209)),
    }


def _monsters() -> dict[str, np.ndarray]:
    green = fill((78, 124, 62), 12 * noise(210, 2, 2))
    shirt = fill((20, 138, 138), 12 * noise(211, 2, 2))
    bone = fill((188, 188, 188), 12 * noise(212, 2, 1))
    ribs = bone.copy()
    ribs[2::4, 2:14, :3] = (70, 70, 70)
    moss = noise(213, 2, 2)
    creeper = fill((88, 176, 80), 30 * moss)
    creeper[moss > 0.75, :3] = (206, 232, 200)
    hair = fill((54, 46, 42), 12 * noise(214, 2, 1))
    return {
        "zombie_skin": green,
        "zombie_shirt": shirt,
        "zombie_legs": fill((62, 54, 140), 10 * noise(215, 2, 2)),
        "zombie_face": _face(
            green,
            "hhhhhhhh ........ ........ ........ .kk..kk. ...nn... ........ ...nn...",
            {"k": DARK, "h": (54, 92, 42), "n": (48, 84, 40)},
        ),
        "bone": bone,
        "skeleton_ribs": ribs,
        "skeleton_face": _face(
            bone,
            "........ ........ ........ ........ .kk..kk. ...nn... .nnnnnn. ........",
            {"k": (40, 40, 40), "n": (110, 110, 110)},
        ),
        "creeper_skin": creeper,
        "creeper_face": _face(
            creeper,
            "........ ........ .kk..kk. .kk..kk. ...kk... ..kkkk.. ..kkkk.. ..k..k..",
            {"k": (10, 14, 10)},
        ),
        "spider_hair": hair,
        "spider_face": _face(
            hair,
            "........ .r....r. ........ rr....rr rr.rr.rr ........ ..b..b.. ..b..b..",
            {"r": (204, 16, 20), "b": (120, 110, 100)},
        ),
    }


def skins() -> dict[str, np.ndarray]:
    """Textures of all entities and items, by name; items as `item/` and their name."""
    return {**_animals(), **_monsters(), **icons()}
