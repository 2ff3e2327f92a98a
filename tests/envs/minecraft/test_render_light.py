"""Sky, light, fog, water and lava in images, by hand values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scenes
from scenes import FLOOR, MIDNIGHT, fill, lake, meadow, stand

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.picture.render import Renderer

RENDERER = Renderer()


def image(state):
    return RENDERER.image(state).astype(int)


def sky_angle(time):
    share = (time / 24000 - 0.25) % 1
    return share + ((1 - (math.cos(math.pi * share) + 1) / 2) - share) / 3


def test_the_sky_at_noon_by_hand():
    # At 60 degrees up, near the middle of the image: of fog (192, 216, 255) there is
    # (1/6) / sin 60° = 0.1925, the rest is (120, 167, 255).
    state = stand(meadow(), yaw=90, pitch=-60)
    got = image(state)[31:33, 31:33].mean((0, 1))
    np.testing.assert_allclose(got, [133.9, 176.4, 255.0], atol=1.5)


@pytest.mark.parametrize("time", [1000, 3000, 9000, 11500])
def test_the_sun_is_where_the_time_says(time):
    turn = 2 * math.pi * sky_angle(time)
    east, high = -math.sin(turn), math.cos(turn)
    state = meadow()
    pitch = -math.degrees(math.asin(high))
    stand(state, yaw=-90.0 if east > 0 else 90.0, pitch=pitch)
    state.num[st.TIME] = time
    np.testing.assert_array_equal(image(state)[32, 32], [255, 252, 214])
    assert (east > 0) == (time < 6000)


def test_by_night_the_sky_is_black_but_the_ground_is_as_by_day():
    day, night = meadow(), meadow()
    night.num[st.TIME] = MIDNIGHT
    one, two = image(day), image(night)
    assert one[:20].mean() > 180 and two[:20].mean() < 8
    np.testing.assert_array_equal(one[40:], two[40:])


def test_the_moon_is_up_at_midnight_and_evening_is_red():
    state = stand(meadow(), pitch=-60)
    state.num[st.TIME] = MIDNIGHT
    assert image(state)[:32].max() > 190
    stand(state, yaw=90, pitch=0)
    state.num[st.TIME] = 12500
    red, _, blue = image(state)[29:32, 22:28].mean((0, 1))
    assert red > blue + 40


def test_fog_begins_at_three_quarters_of_the_view():
    def wall(distance):
        state = meadow()
        fill(state, (-60, FLOOR, distance), (60, FLOOR + 20, distance), b.COAL_ORE)
        return Renderer(fov=20).image(state).astype(int)[20:28, 28:36].mean((0, 1))

    # The eye is at z = 0.5. Fog is none up to 36 blocks, then (t - 36) / 12.
    near, thick, gone = wall(30), wall(43), wall(60)
    share = (thick - near) / (np.array([192, 216, 255]) - near)
    np.testing.assert_allclose(share, (42.6 - 36) / 12, atol=0.04)
    np.testing.assert_allclose(gone, [192, 216, 255], atol=15)


def test_light_by_hand_for_gamma_5():
    image(meadow())
    # Light 0: b = 0.03; 0.03 · (1 - 5) + (1 - 0.97⁴) · 5 = 0.4535; · 0.96 + 0.03.
    expected = [0.465, 0.688, 0.920, 1.0, 1.0]
    np.testing.assert_allclose(RENDERER.lights.curve[:5], expected, atol=2e-3)
    night = meadow()
    night.num[st.TIME] = MIDNIGHT
    image(night)
    assert RENDERER.lights.curve[15] == 1.0


def test_every_cell_is_as_bright_as_its_light_from_the_sky():
    # A tunnel into a hill: light falls from 15 outside to 0 at its end.
    state = fill(meadow(), (-60, FLOOR, 1), (60, FLOOR + 9, 60), b.STONE)
    fill(state, (0, FLOOR, 1), (0, FLOOR + 2, 30), b.AIR)
    renderer = Renderer()
    levels, seen = set(), 0
    for z in (2.5, 9.5, 15.5, 28.5):
        stand(state, z=z)
        renderer.image(state)
        lights = renderer.lights
        for key, value in zip(lights.cells, lights.values, strict=True):
            if key >> 21 == lights.image[0]:
                x, z, y = key >> 14 & 127, key >> 7 & 127, key & 127
                columns = np.argwhere(state.roof <= y)
                away = np.abs((columns - (x, z) + 64) % 128 - 64).max(1).min()
                assert value == lights.curve[max(0, 15 - away)]
                levels.add(float(value))
                seen += 1
    assert seen > 60, seen
    assert len(levels) == 4, levels


def test_a_cave_is_darker_than_the_same_room_without_a_roof():
    closed, opened = scenes.cave(), scenes.cave()
    fill(opened, (-3, FLOOR + 4, -2), (3, FLOOR + 20, 3), b.AIR)
    rows, columns = slice(45, 60), slice(25, 40)  # the floor
    one, two = image(closed)[rows, columns], image(opened)[rows, columns]
    np.testing.assert_allclose(one.mean() / two.mean(), 0.465, atol=0.01)


def test_water_tints_and_deep_water_hides_its_ground():
    dry = image(stand(fill(lake(1), (-20, 63, 3), (20, 63, 40), b.AIR), pitch=30))
    shallow, deep = image(stand(lake(1), pitch=30)), image(stand(lake(8), pitch=30))
    place = slice(28, 34), slice(28, 36)
    (r0, _, b0), (r1, _, b1), (r2, _, b2) = (
        view[place].mean((0, 1)) for view in (dry, shallow, deep)
    )
    assert r0 > b0 and r1 < r0 - 40 and b1 > r1 + 20  # sand, then sand under blue
    assert r2 < r1 - 20 and b2 > r2 + 80


def test_all_is_blue_under_water():
    above, below = image(stand(lake(8))), image(stand(lake(8), z=12.5, y=58))
    assert (below[..., 2] > below[..., 0] + 8).all()
    assert (above[40:, :, 1] > above[40:, :, 2]).mean() > 0.5


def test_in_lava_all_is_bright_and_in_a_block_all_is_dark():
    state = fill(meadow(), (0, FLOOR, 0), (0, FLOOR + 1, 0), b.LAVA)
    red, green, blue = image(state).mean((0, 1))
    assert red > 180 and red > 2 * green - 60 and blue < 60
    fill(state, (0, FLOOR, 0), (0, FLOOR + 1, 0), b.STONE)
    assert 0 < image(state).mean() < 16


def test_lava_shines_where_it_is_dark():
    state = scenes.cave()
    fill(state, (-1, FLOOR + 1, 2), (1, FLOOR + 2, 2), b.LAVA)
    lit = image(state)[25:32, 28:36].mean((0, 1))
    fill(state, (-1, FLOOR + 1, 2), (1, FLOOR + 2, 2), b.RED_SAND)
    assert lit[0] > 2 * image(state)[25:32, 28:36].mean((0, 1))[0]
