"""Rules of the abstract commands: recipes, fuel, the view cone, the hand."""

import numpy as np
import pytest

from dreamerv3_tf.envs.minecraft import rules
from dreamerv3_tf.envs.minecraft.items import INVENTORY, ITEM, RECIPES, SLOTS, YIELD


def slots_of(*stacks, size=SLOTS):
    """Slots that hold stacks of (name, count) or (name, count, damage) in order."""
    slots = np.zeros((size, 3), np.int32)
    for row, (name, *numbers) in zip(slots, stacks, strict=False):
        row[0] = ITEM[name]
        row[1 : 1 + len(numbers)] = numbers
    return slots


def held(slots):
    """Counts by name, without empty slots."""
    pairs = zip(INVENTORY, rules.counts(slots), strict=True)
    return {name: int(count) for name, count in pairs if count and name != "air"}


@pytest.mark.parametrize(
    "product, before, after",
    [
        ("planks", {"log": 1}, {"planks": 4}),
        ("planks", {"log": 2}, {"log": 1, "planks": 4}),
        ("stick", {"planks": 2}, {"stick": 4}),
        ("crafting_table", {"planks": 5}, {"planks": 1, "crafting_table": 1}),
        ("wooden_pickaxe", {"planks": 3, "stick": 2}, {"wooden_pickaxe": 1}),
        (
            "stone_pickaxe",
            {"cobblestone": 4, "stick": 2},
            {"cobblestone": 1, "stone_pickaxe": 1},
        ),
        ("iron_pickaxe", {"iron_ingot": 3, "stick": 2}, {"iron_pickaxe": 1}),
        ("furnace", {"cobblestone": 8}, {"furnace": 1}),
    ],
)
def test_a_recipe_takes_and_gives_exactly_what_it_says(product, before, after):
    slots = slots_of(*before.items())
    assert rules.craft(slots, product)
    assert held(slots) == after


@pytest.mark.parametrize("product", sorted(RECIPES))
def test_a_recipe_is_refused_where_one_piece_is_missing(product):
    bill = RECIPES[product]
    for short in range(len(bill)):
        amounts = [amount - (i == short) for i, (_, amount) in enumerate(bill)]
        names = [names[0] for names, _ in bill]
        slots = slots_of(*zip(names, amounts, strict=True))
        before = slots.copy()
        assert not rules.craft(slots, product)
        np.testing.assert_array_equal(slots, before)


@pytest.mark.parametrize("product", ["none", "other", "air", "diamond", "stone"])
def test_what_has_no_recipe_changes_nothing(product):
    slots = slots_of(("log", 5), ("cobblestone", 64), ("iron_ore", 1), ("coal", 1))
    before = slots.copy()
    assert not rules.craft(slots, product)
    assert rules.smelt(slots, 7, product) == (False, 7)
    np.testing.assert_array_equal(slots, before)


def test_both_kinds_of_logs_make_planks_and_count_as_log():
    slots = slots_of(("log2", 1), ("log", 1))
    assert held(slots) == {"log": 2}
    assert rules.craft(slots, "planks") and rules.craft(slots, "planks")
    assert held(slots) == {"planks": 8}


def test_ingredients_leave_the_first_slots_first():
    # 4 planks: all 3 of slot 0, then 1 of the 2 in slot 2.
    slots = slots_of(("planks", 3), ("dirt", 1), ("planks", 2))
    assert rules.craft(slots, "crafting_table")
    # The table lands in slot 0, which has become empty.
    assert slots[:3].tolist() == [
        [ITEM["crafting_table"], 1, 0],
        [ITEM["dirt"], 1, 0],
        [ITEM["planks"], 1, 0],
    ]


def test_pieces_fill_stacks_before_empty_slots():
    slots = slots_of(("dirt", 1), ("dirt", 0), ("planks", 62), ("log", 2))
    assert rules.craft(slots, "planks")  # 62 + 4 = 64 + 2
    assert slots[:4].tolist() == [
        [ITEM["dirt"], 1, 0],
        [ITEM["planks"], 2, 0],
        [ITEM["planks"], 64, 0],
        [ITEM["log"], 1, 0],
    ]


def test_tools_never_share_a_slot_and_snowballs_stop_at_16():
    slots = slots_of()
    for name, amount in (("stone_pickaxe", 2), ("snowball", 17)):
        assert rules.add(slots, ITEM[name], amount) == 0
    assert slots[:4, 1].tolist() == [1, 1, 16, 1]


def test_what_finds_no_room_is_left_over():
    slots = slots_of(("dirt", 60), ("log", 1), size=2)
    assert rules.add(slots, ITEM["dirt"], 10) == 6
    assert slots[0, 1] == 64


def test_every_empty_slot_is_one_air():
    air = INVENTORY.index("air")
    assert rules.counts(slots_of())[air] == 365
    assert rules.counts(slots_of(("log", 64), ("log", 3)))[air] == 363


@pytest.mark.parametrize(
    "name, ticks, left",
    # 200 ticks each: 1600 - 200, 300 - 200, 200 - 200.
    [("coal", 1600, 1400), ("log", 300, 100), ("planks", 300, 100),
     ("crafting_table", 300, 100), ("wooden_pickaxe", 200, 0)],
)  # fmt: skip
def test_smelting_takes_200_ticks_of_whatever_burns(name, ticks, left):
    slots = slots_of(("iron_ore", 1), (name, 1))
    assert rules.burn_time(slots) == ticks
    assert rules.smelt(slots, 0) == (True, left)
    assert held(slots) == {"iron_ingot": 1}


def test_one_coal_smelts_eight_pieces():
    slots, fuel = slots_of(("iron_ore", 9), ("coal", 1)), 0
    for _ in range(8):
        done, fuel = rules.smelt(slots, fuel)
        assert done
    assert (fuel, rules.smelt(slots, fuel)) == (0, (False, 0))
    assert held(slots) == {"iron_ore": 1, "iron_ingot": 8}


def test_fuel_is_taken_in_the_order_of_the_slots():
    # Two sticks of 100 come before the coal, and before the pickaxe behind it.
    slots = slots_of(("stick", 2), ("iron_ore", 3), ("coal", 1), ("wooden_pickaxe", 1))
    assert rules.smelt(slots, 0) == (True, 0)
    assert "stick" not in held(slots) and held(slots)["coal"] == 1
    # One stick is not enough: -200 + 100 < 0, so the coal burns as well.
    slots = slots_of(("stick", 1), ("iron_ore", 1), ("coal", 1))
    assert rules.smelt(slots, 0) == (True, 1500)
    assert held(slots) == {"iron_ingot": 1}


def test_the_rest_of_the_fuel_counts():
    slots = slots_of(("iron_ore", 1), ("stick", 1))
    assert rules.smelt(slots, 99) == (False, 99)
    assert rules.smelt(slots, 100) == (True, 0)  # 100 - 200 + 100
    slots = slots_of(("iron_ore", 1), ("stick", 1))
    assert rules.smelt(slots, 250) == (True, 50)  # the cache alone is enough
    assert held(slots) == {"iron_ingot": 1, "stick": 1}


def test_without_ore_or_fuel_nothing_burns():
    for stacks in ([("coal", 3)], [("iron_ore", 1), ("stick", 1)], [("iron_ore", 1)]):
        slots = slots_of(*stacks)
        before = slots.copy()
        assert rules.smelt(slots, 0) == (False, 0)
        np.testing.assert_array_equal(slots, before)


def ahead(distance, right=0.0, up=0.0):
    """Centre of a block seen from feet at the origin, looking along +z.

    Args:
        distance: blocks from the head.
        right: degrees to the right, towards -x.
        up: degrees upward.
    """
    right, up = np.radians(right), np.radians(up)
    flat = distance * np.cos(up)
    return -flat * np.sin(right), 1.6 + distance * np.sin(up), flat * np.cos(right)


def test_a_table_is_near_up_to_5_blocks_from_the_head():
    assert rules.nearby(0, 0, 0, 0, 0, ahead(5.0))
    assert not rules.nearby(0, 0, 0, 0, 0, ahead(5.01))
    # From the feet: 3 ahead, 4 up of 1.6 is exactly 5 blocks off.
    assert rules.nearby(10, 60, -3, 0, 0, (10, 65.59, 0.01))
    assert not rules.nearby(10, 60, -3, 0, 0, (10, 65.62, 0.02))


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_table_is_in_view_up_to_65_degrees(sign):
    assert rules.nearby(0, 0, 0, 0, 0, ahead(3, right=sign * 65))
    assert not rules.nearby(0, 0, 0, 0, 0, ahead(3, right=sign * 66))
    assert rules.nearby(0, 0, 0, 0, 0, ahead(3, up=sign * 65))
    assert not rules.nearby(0, 0, 0, 0, 0, ahead(3, up=sign * 66))
    # Both angles are tested apart: the block is acos(cos 50 cos 50) = 65.6 degrees off,
    # but 50 to the side and atan(tan 50 / cos 50) = 61.7 up; at 55, 68.1 up.
    assert rules.nearby(0, 0, 0, 0, 0, ahead(3, right=sign * 50, up=50))
    assert not rules.nearby(0, 0, 0, 0, 0, ahead(3, right=sign * 55, up=55))


def test_a_table_behind_the_back_is_not_in_view():
    assert not rules.nearby(0, 0, 0, 0, 0, ahead(2, right=180))
    assert rules.nearby(0, 0, 0, 180, 0, ahead(2, right=180))
    assert rules.nearby(0, 0, 0, 90, 0, ahead(2, right=90))


def test_looking_down_only_a_part_of_the_sideways_component_is_taken_away():
    # Pitch 60 down: look = (0, -s, c) with c = 1/2, s = .866; b = 3 (-.8, -.6 s, .6 c),
    # 3 blocks off, 53.1 degrees beside the look. u = (-1, 0, 0), b.u = 2.4.
    # Pitch test: b - c (b.u) u = (-1.2, -1.8 s, 1.8 c), at atan(1.2 / 1.8) = 33.7
    # degrees of the look; a right projection would give 0.
    look = np.array([0, -np.sqrt(0.75), 0.5])
    for beside, seen in ((2.4, True), (2.9, False)):
        # 2.9: the yaw test is exact here, asin(2.9 / 3) = 75.2 degrees: not in view.
        front = np.sqrt(9 - beside**2)
        centre = np.array([-beside, 0, 0]) + front * look + (0, 1.6, 0)
        assert rules.nearby(0, 0, 0, 0, 60, centre) is seen
    # Upward in the view, w = (0, c, s): b = 3 (cos 60 look + sin 60 w). Yaw test:
    # b - c (b.w) w is at atan(tan 60 / 2) = 40.9 degrees, pitch test at 60: in view.
    # With 45 degrees sideways added, 1/2 of it stays in the pitch test, which then
    # exceeds 65: (front, side, up) = (1, 1, 1.9): pitch sqrt(.5^2 + 1.9^2) = 1.96,
    # atan 63.0 in view; (1, 1.6, 1.9): sqrt(.8^2 + 1.9^2) = 2.06, atan 64.1; with
    # (1, 1.9, 2.0): sqrt(.95^2 + 2^2) = 2.21, atan 65.7: out, though atan 2 = 63.4.
    up = np.array([0, 0.5, np.sqrt(0.75)])
    for side, rise, seen in ((1, 1.9, True), (1.6, 1.9, True), (1.9, 2.0, False)):
        centre = look + side * np.array([-1, 0, 0]) + rise * up + (0, 1.6, 0)
        assert rules.nearby(0, 0, 0, 0, 60, centre) is seen
        assert np.degrees(np.arctan(rise)) < 65


def test_equip_swaps_the_hand_with_the_first_slot_that_holds_the_item():
    slots = slots_of(("log", 5), ("dirt", 1), ("stone_pickaxe", 1, 7))
    slots[5] = ITEM["stone_pickaxe"], 1, 0
    assert rules.equip(slots, "stone_pickaxe")
    assert slots[0].tolist() == [ITEM["stone_pickaxe"], 1, 7]
    assert slots[2].tolist() == [ITEM["log"], 5, 0]
    assert rules.equip(slots, "stone_pickaxe")  # already in the hand
    assert slots[0].tolist() == [ITEM["stone_pickaxe"], 1, 7]


@pytest.mark.parametrize("name", ["none", "air", "other", "iron_pickaxe"])
def test_what_is_not_there_can_not_be_equipped(name):
    slots = slots_of(("log", 5))
    before = slots.copy()
    assert not rules.equip(slots, name)
    np.testing.assert_array_equal(slots, before)


def test_the_yield_of_planks_and_sticks_is_4_and_of_all_else_1():
    assert {name: YIELD.get(name, 1) for name in RECIPES} == {
        "planks": 4,
        "stick": 4,
        "crafting_table": 1,
        "wooden_pickaxe": 1,
        "stone_pickaxe": 1,
        "iron_pickaxe": 1,
        "furnace": 1,
    }
