"""What the attack button does to blocks and tools: times, drops, pauses, wear."""

import pytest
from digging import FLOOR, HEAD, ahead, attack, dropped, release, world

from dreamerv3_tf.envs.minecraft.items import ITEM
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st

TOOLS = ("hand", "wooden_pickaxe", "stone_pickaxe", "iron_pickaxe")

# The table: ticks with break speed 100 by hand, wooden, stone, iron pickaxe; by hand in
# the air; with break speed 1. A * says that nothing drops.
TABLE = """
dirt sand             | 1 1 1 1     | 1    | 15 15 15 15
grass gravel clay     | 1 1 1 1     | 1    | 18 18 18 18
oak_leaves            | 1 1 1 1     | 1    | 6 6 6 6
oak_log planks        | 1 1 1 1     | 3    | 60 60 60 60
crafting_table        | 1 1 1 1     | 4    | 75 75 75 75
sandstone             | 1* 1 1 1    | 4*   | 80* 12 6 4
stone granite         | 2* 1 1 1    | 8*   | 150* 23 12 8
cobblestone           | 2* 1 1 1    | 10*  | 200* 30 15 10
coal_ore              | 3* 1 1 1    | 15*  | 300* 45 23 15
furnace               | 4* 1 1 1    | 18*  | 350* 53 27 18
iron_ore lapis_ore    | 3* 2* 1 1   | 15*  | 300* 150* 23 15
gold_ore diamond_ore  | 3* 2* 1* 1  | 15*  | 300* 150* 75* 15
redstone_ore          | 3* 2* 1* 1  | 15*  | 300* 150* 75* 15
emerald_ore           | 3* 2* 1* 1  | 15*  | 300* 150* 75* 15
obsidian              | 50* 25* 13* 9* | 250* | 5000* 2500* 1250* 834*
"""


def cases():
    """Block, tool, break speed, whether on the ground, expected entry of the table."""
    for line in TABLE.strip().splitlines():
        names, fast, air, slow = line.split("|")
        for name in names.split():
            yield name, "hand", 100.0, False, air.strip()
            for tool, quick, long in zip(
                TOOLS, fast.split(), slow.split(), strict=True
            ):
                yield name, tool, 100.0, True, quick
                yield name, tool, 1.0, True, long


@pytest.mark.parametrize("name, tool, speed, grounded, entry", list(cases()))
def test_times_and_drops_are_those_of_the_table(name, tool, speed, grounded, entry):
    state = world(tool, speed, grounded)
    block = getattr(blocks, name.upper())
    ahead(state, block)
    ticks = int(entry.strip("*"))
    assert attack(state, ticks + 3) == [ticks]
    if blocks.DROP_CHANCE[block] == 1:
        assert bool(dropped(state)) == (not entry.endswith("*"))


@pytest.mark.parametrize(
    "block, tool, item, low, high",
    [
        ("stone", "wooden_pickaxe", "cobblestone", 1, 1),
        ("granite", "wooden_pickaxe", "stone", 1, 1),
        ("grass", "hand", "dirt", 1, 1),
        ("oak_log", "hand", "log", 1, 1),
        ("coal_ore", "wooden_pickaxe", "coal", 1, 1),
        ("iron_ore", "stone_pickaxe", "iron_ore", 1, 1),
        ("diamond_ore", "iron_pickaxe", "diamond", 1, 1),
        ("redstone_ore", "iron_pickaxe", "redstone", 4, 5),
    ],
)
def test_the_right_tool_harvests(block, tool, item, low, high):
    state = world(tool, 100.0)
    ahead(state, getattr(blocks, block.upper()))
    attack(state, 1)
    (entry,) = dropped(state).items()
    assert entry[0] == ITEM[item] and low <= entry[1] <= high


@pytest.mark.parametrize("tool", TOOLS)
def test_bedrock_never_breaks_and_hides_what_is_behind(tool):
    state = world(tool, 100.0)
    ahead(state, blocks.BEDROCK)
    ahead(state, blocks.DIRT, 3)
    assert attack(state, 3000) == []


def test_plants_break_at_once_even_slowly_and_in_the_air():
    state = world(speed=1.0, grounded=False)
    ahead(state, blocks.POPPY, 1)
    ahead(state, blocks.TALL_GRASS, 2)
    assert attack(state, 3) == [1, 2]


def test_eyes_under_water_take_five_times_as_long_and_both_25_times():
    for grounded, ticks in ((True, 75), (False, 375)):  # 15 * 5, 15 * 25
        state = world(grounded=grounded)
        state.vox[0, 0, FLOOR : HEAD + 1] = blocks.WATER
        ahead(state, blocks.DIRT)
        assert attack(state, ticks + 3) == [ticks]


# Pauses


def test_instant_blocks_follow_each_other_every_tick():
    state = world(speed=100.0)
    ahead(state, blocks.DIRT, 1, length=4)
    assert attack(state, 8) == [1, 2, 3, 4]


def test_five_ticks_pass_after_a_slow_block_before_the_next_slow_one():
    state = world(speed=100.0)
    ahead(state, blocks.STONE, 1, length=3)
    assert attack(state, 20) == [2, 9, 16]  # 2, then 5 + 2


def test_an_instant_block_does_not_wait():
    state = world(speed=100.0)
    ahead(state, blocks.STONE, 1)
    ahead(state, blocks.DIRT, 2)
    ahead(state, blocks.STONE, 3)
    assert attack(state, 20) == [2, 3, 10]


def test_progress_is_lost_when_the_button_is_let_go():
    state = world()
    ahead(state, blocks.DIRT)
    assert attack(state, 14) == []
    release(state)
    assert attack(state, 16) == [15]


def test_progress_is_lost_when_the_target_changes():
    state = world()
    ahead(state, blocks.DIRT)
    state.vox[2, 0, HEAD] = blocks.DIRT
    assert attack(state, 14) == []
    state.body[st.YAW] = -90  # east
    assert attack(state, 1) == []
    state.body[st.YAW] = 0
    assert attack(state, 16) == [15]


def test_progress_is_lost_when_the_hand_holds_something_else():
    state = world()
    ahead(state, blocks.DIRT)
    attack(state, 14)
    state.slots[0] = ITEM["stick"], 1, 0
    assert attack(state, 16) == [15]


def test_a_click_into_the_air_blocks_the_button_for_ten_ticks():
    state = world(speed=100.0)
    attack(state, 1)
    ahead(state, blocks.DIRT)
    assert attack(state, 12) == [10]


def test_letting_go_clears_the_miss():
    state = world(speed=100.0)
    attack(state, 1)
    release(state)
    ahead(state, blocks.DIRT)
    assert attack(state, 3) == [1]


# Wear


@pytest.mark.parametrize(
    "tool, uses",
    [("wooden_pickaxe", 60), ("stone_pickaxe", 132), ("iron_pickaxe", 251)],
)
def test_the_last_use_breaks_the_tool(tool, uses):
    state = world(tool, 100.0)
    for left in range(uses, 0, -1):
        assert state.slots[0].tolist() == [ITEM[tool], 1, uses - left]
        ahead(state, blocks.DIRT)
        assert attack(state, 1) == [1]
    assert state.slots[0, 1] == 0


def test_the_block_that_breaks_the_tool_still_drops():
    state = world("wooden_pickaxe", 100.0)
    state.slots[0, 2] = 59
    ahead(state, blocks.STONE)
    attack(state, 1)
    assert state.slots[0, 1] == 0 and dropped(state) == {ITEM["cobblestone"]: 1}


def test_plants_wear_nothing_and_other_items_never_wear():
    state = world("wooden_pickaxe", 100.0)
    ahead(state, blocks.POPPY)
    attack(state, 1)
    assert state.slots[0, 2] == 0
    state = world("dirt", 100.0)
    ahead(state, blocks.DIRT)
    attack(state, 1)
    assert state.slots[0].tolist() == [ITEM["dirt"], 1, 0]


def test_a_block_costs_five_thousandths_of_exhaustion():
    state = world(speed=100.0)
    ahead(state, blocks.DIRT, 1, length=3)
    attack(state, 3)
    assert state.body[st.EXHAUSTION] == pytest.approx(0.015)


def test_ice_turns_to_water_only_on_something():
    state = world(speed=100.0)
    ahead(state, blocks.ICE)
    attack(state, 1)
    assert state.vox[0, 2, HEAD] == blocks.AIR
    ahead(state, blocks.ICE)
    state.vox[0, 2, FLOOR] = blocks.STONE
    attack(state, 1)
    assert state.vox[0, 2, HEAD] == blocks.WATER and dropped(state) == {}
