"""The display for people."""

from __future__ import annotations

from scenes import meadow

from dreamerv3_tf.envs.minecraft.items import ITEM
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.picture import hud


def test_the_display_shows_life_food_items_and_the_time():
    state = meadow()
    state.slots[1] = ITEM["diamond"], 5, 0
    full = hud.picture(state, 256, 70.0).astype(int)
    assert full.shape == (256, 256, 3)
    places = {
        "life": (slice(222, 232), slice(38, 128)),
        "food": (slice(222, 232), slice(128, 218)),
        "items": (slice(233, 253), slice(58, 78)),
        "time": (slice(0, 16), slice(0, 100)),
    }

    def differ(changed):
        diff = (hud.picture(changed, 256, 70.0).astype(int) != full).any(-1)
        return {name for name, place in places.items() if diff[place].any()}

    for name, column in (("life", st.LIFE), ("food", st.FOOD)):
        poor = meadow()
        poor.slots[:] = state.slots
        poor.body[column] = 7
        assert differ(poor) == {name}
    assert differ(meadow()) == {"items"}
    later = meadow()
    later.slots[:] = state.slots
    later.num[st.TIME] += 100
    assert "time" in differ(later)
    assert hud.picture(state, 64).shape == (64, 64, 3)
