"""Pictures for people: the view with a crosshair, hearts, food, breath and items.

None of this is in the observation.
"""

from __future__ import annotations

import functools

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.picture.atlas import FACES, TEXTURES, texture
from dreamerv3_tf.envs.minecraft.voxel.picture.bodies import ITEM_BLOCK, ITEM_LAYER
from dreamerv3_tf.envs.minecraft.voxel.picture.render import Renderer
from dreamerv3_tf.envs.minecraft.voxel.state import State

NAMES = tuple(TEXTURES)
UNIT = 256  # the display is drawn for this width, then enlarged
SLOT, SLOTS = 20, 9  # pixels, and how many are shown
LEFT = (UNIT - SLOT * SLOTS) // 2
BOTTOM = UNIT - SLOT - 3

HEART = """.kk.kk.
           kffkffk
           kfffffk
           kfffffk
           .kfffk.
           ..kfk..
           ...k..."""
DRUMSTICK = """...kkk.
               ..kfffk
               .kffffk
               .kffffk
               .kkffk.
               kwkkk..
               kkk...."""
BUBBLE = """..kkk..
            .kfffk.
            kfwfffk
            kfffffk
            kfffffk
            .kfffk.
            ..kkk.."""
RED, BROWN, BLUE = (222, 28, 28), (176, 112, 48), (70, 130, 240)
EMPTY = (62, 56, 56)


@functools.lru_cache(maxsize=4)
def _renderer(size: int, fov: float) -> Renderer:
    return Renderer(size, fov)


def picture(state: State, size: int = 256, fov: float = 130.0) -> np.ndarray:
    """What a person would see, with the display of the game.

    Args:
        state: the world.
        size: height and width, pixels.
        fov: field of view, degrees.

    Returns:
        uint8 `[size, size, 3]`.
    """
    from PIL import Image

    view = _renderer(size, fov).image(state)
    layer = np.zeros((UNIT, UNIT, 4), np.uint8)
    _held(layer, state)
    _hotbar(layer, state)
    _bars(layer, state)
    display = Image.fromarray(layer)
    _write(display, state)
    display = display.resize((size, size), Image.Resampling.NEAREST)
    out = Image.fromarray(view).convert("RGBA")
    out.alpha_composite(display)
    return _crosshair(np.asarray(out.convert("RGB")).copy())


def item_icon(item: int) -> np.ndarray:
    """Picture of an item, uint8 `[16, 16, 4]`: a small cube or a flat drawing."""
    block = int(ITEM_BLOCK[item])
    if not block:
        return texture(NAMES[ITEM_LAYER[item]])
    top, left, right = (texture(NAMES[FACES[block, face]]) for face in (3, 4, 0))
    v, u = np.mgrid[:16, :16] + 0.5
    out = np.zeros((16, 16, 4), np.uint8)
    # The top is a rhomb of 16 x 8, the sides are sheared squares of 8 x 8 below it.
    a, b = (u - 8) / 16 + v / 8, v / 8 - (u - 8) / 16
    _map(out, top, a, b, 1.0)
    _map(out, left, u / 8, (v - 4 - u / 2) / 8, 0.8)
    _map(out, right, (u - 8) / 8, (v - 8 + (u - 8) / 2) / 8, 0.6)
    return out


def _map(out: np.ndarray, face: np.ndarray, u: np.ndarray, v: np.ndarray, light: float):
    """Paints the pixels whose place on a face is inside of it."""
    inside = (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
    j, i = (v[inside] * 16).astype(int), (u[inside] * 16).astype(int)
    out[inside, :3] = face[j, i, :3] * light
    out[inside, 3] = 255


def _held(layer: np.ndarray, state: State) -> None:
    """What the hand holds, in the lower right corner."""
    item, count, _ = state.slots[0]
    if count:
        icon = np.kron(item_icon(int(item)), np.ones((4, 4, 1), np.uint8))
        _put(layer, icon, UNIT - 66, UNIT - 92)


def _hotbar(layer: np.ndarray, state: State) -> None:
    for slot in range(SLOTS):
        left = LEFT + SLOT * slot
        box = layer[BOTTOM : BOTTOM + SLOT, left : left + SLOT]
        box[:] = (230, 230, 230, 255) if slot == 0 else (92, 92, 92, 255)
        box[1:-1, 1:-1] = (40, 40, 40, 255)
        item, count, _ = state.slots[slot]
        if count:
            _put(layer, item_icon(int(item)), left + 2, BOTTOM + 2)


def _bars(layer: np.ndarray, state: State) -> None:
    """Ten hearts and ten drumsticks, and bubbles where breath is short."""
    life, food, breath = state.body[[st.LIFE, st.FOOD, st.BREATH]]
    for place in range(10):
        x = LEFT + 8 * place
        mirrored = UNIT - LEFT - 8 * place - 7
        _put(layer, _symbol(HEART, RED, life / 2 - place), x, BOTTOM - 10)
        _put(layer, _symbol(DRUMSTICK, BROWN, food / 2 - place), mirrored, BOTTOM - 10)
        if 0 < breath < 300 and breath / 30 > place:
            _put(layer, _symbol(BUBBLE, BLUE, 1), mirrored, BOTTOM - 19)


def _symbol(art: str, colour: tuple[int, int, int], share: float) -> np.ndarray:
    """A heart and the like: full from a share of 1 on, half from 0 on, else empty."""
    rows = art.split()
    out = np.zeros((7, 7, 4), np.uint8)
    for j, row in enumerate(rows):
        for i, letter in enumerate(row):
            full = share >= 0.75 or (share > 0 and i < 4)
            inside = colour if full else EMPTY
            colours = {"k": (0, 0, 0), "f": inside, "w": (240, 240, 240)}
            if letter != ".":
                out[j, i] = (*colours[letter], 255)
    return out


def _put(layer: np.ndarray, picture: np.ndarray, left: int, top: int) -> None:
    """Lays a picture with holes on the display."""
    tall, wide = picture.shape[:2]
    part = layer[top : top + tall, left : left + wide]
    there = picture[..., 3] > 0
    part[there] = picture[there]


def _write(display, state: State) -> None:
    """Counts of the items, and the time of day (sunrise is 6:00)."""
    from PIL import ImageDraw

    pen = ImageDraw.Draw(display)
    for slot in range(SLOTS):
        count = int(state.slots[slot, 1])
        if count > 1:
            place = (LEFT + SLOT * slot + 19, BOTTOM + 20)
            pen.text(
                place, str(count), fill="white", anchor="rs", stroke_width=1,
                stroke_fill="black",
            )  # fmt: skip
    time = int(state.num[st.TIME])
    minutes = (time % 24000 + 6000) % 24000 * 60 // 1000
    text = f"day {time // 24000 + 1}  {minutes // 60:02d}:{minutes % 60:02d}"
    pen.text((4, 3), text, fill="white", stroke_width=1, stroke_fill="black")


def _crosshair(image: np.ndarray) -> np.ndarray:
    """The image with a cross in its middle, in the opposite of the colours there."""
    middle, unit = len(image) // 2, max(1, len(image) // UNIT)
    arm = 5 * unit
    cross = np.zeros(image.shape[:2], bool)
    cross[middle - unit // 2 :, middle - arm : middle + arm][: max(1, unit)] = True
    cross[middle - arm : middle + arm, middle - unit // 2 :][:, : max(1, unit)] = True
    image[cross] = 255 - image[cross]
    return image
