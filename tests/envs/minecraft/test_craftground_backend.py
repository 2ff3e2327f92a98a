"""CraftGround's backend over a game of 1.21 that knows its chat commands."""

import sys

import numpy as np
import pytest

from dreamerv3_tf.envs import EnvError, make_env
from dreamerv3_tf.envs.contract import find_problems
from dreamerv3_tf.envs.minecraft.actions import COMMANDS, NAMES
from dreamerv3_tf.envs.minecraft.backend import NOOP
from dreamerv3_tf.envs.minecraft.craftground import backend as module
from dreamerv3_tf.envs.minecraft.craftground import episodes, names, orders, placing
from dreamerv3_tf.envs.minecraft.craftground.backend import CraftGroundBackend
from dreamerv3_tf.envs.minecraft.items import EQUIPPED, INVENTORY

KIT = [["oak_log", 12], ["cobblestone", 24], ["raw_iron", 4], ["coal", 1], ["dirt", 9]]
AIR = INVENTORY.index("air")


def command(name):
    return COMMANDS[NAMES.index(name)]


def held(raw):
    """Counts by name, without empty slots."""
    pairs = zip(INVENTORY, raw.inventory.tolist(), strict=True)
    return {name: count for name, count in pairs if count and name != "air"}


def play(game, script, wait=3):
    """The last observation of a script of action names.

    After what changes the inventory, some steps pass: it shows two ticks later.
    """
    raw = None
    for name in script.split():
        raw = game.step(command(name))
        slow = name.startswith(("craft", "place", "smelt", "equip"))
        for _ in range(wait if slow else 0):
            raw = game.step(NOOP)
    return raw


@pytest.fixture
def game(monkeypatch):
    """Makes a function from settings of the game to a backend over it."""

    def make(kit=(), drops=(), **settings):
        import fake_craftground

        for name, fake in fake_craftground.modules(
            kit=kit, drops=drops, seed=3
        ).items():
            monkeypatch.setitem(sys.modules, name, fake)
        return CraftGroundBackend(seed=0, **settings)

    return make


LOOK_DOWN = "noop noop noop noop turn_down turn_down turn_down"
TABLE = "craft_planks craft_planks craft_crafting_table place_crafting_table"


def test_everything_can_be_made_from_logs_stone_and_iron(game):
    play_on = game(KIT)
    raw = play_on.reset()
    assert raw.inventory[AIR] == 365 and EQUIPPED[raw.equipped] == "air"
    raw = play(play_on, f"{LOOK_DOWN} {TABLE} craft_stick craft_wooden_pickaxe")
    # 12 logs - 2; 8 planks - 4 - 2 - 3 is short: the pickaxe was refused.
    assert held(raw)["log"] == 10 and "wooden_pickaxe" not in held(raw)
    raw = play(play_on, "craft_planks craft_wooden_pickaxe craft_planks craft_stick")
    assert held(raw)["wooden_pickaxe"] == 1
    raw = play(play_on, "craft_stone_pickaxe craft_furnace")
    # 24 cobblestone - 3 - 8; 4 sticks - 2, + 4, - 2.
    assert held(raw)["cobblestone"] == 13 and held(raw)["furnace"] == 1
    raw = play(play_on, "turn_left turn_left place_furnace smelt_iron_ingot")
    # The first fuel in the order of the slots is a log: 300 - 200 = 100 ticks are left.
    assert held(raw)["iron_ingot"] == 1 and held(raw)["iron_ore"] == 3
    assert play_on.fuel == 100 and held(raw)["log"] == 7
    raw = play(play_on, "smelt_iron_ingot smelt_iron_ingot")
    assert held(raw)["iron_ingot"] == 3 and play_on.fuel == 100 + 300 - 400
    raw = play(play_on, "turn_right turn_right craft_iron_pickaxe")
    assert held(raw)["iron_pickaxe"] == 1 and "iron_ingot" not in held(raw)
    raw = play(play_on, "equip_iron_pickaxe")
    assert EQUIPPED[raw.equipped] == "iron_pickaxe"
    raw = play(play_on, "equip_stone_pickaxe")
    assert EQUIPPED[raw.equipped] == "stone_pickaxe"
    assert held(raw)["log"] == 6  # what was in the hand is still there


def test_ingredients_are_never_spent_twice(game):
    # The inventory shows two ticks late; eager crafting must not give more.
    play_on = game([["oak_log", 2]])
    play_on.reset()
    raw = play(play_on, "noop noop noop noop" + " craft_planks" * 30, wait=0)
    assert held(raw) == {"planks": 8}
    raw = play(play_on, "craft_stick " * 30, wait=0)
    assert held(raw) == {"stick": 16}


def test_crafting_at_a_table_needs_one_placed_and_in_view(game):
    play_on = game([["oak_planks", 16], ["stick", 8]])
    play_on.reset()
    raw = play(play_on, f"{LOOK_DOWN} craft_wooden_pickaxe")
    assert "wooden_pickaxe" not in held(raw)
    raw = play(play_on, "craft_crafting_table place_crafting_table")
    assert "crafting_table" not in held(raw) and len(play_on.placed) == 1
    raw = play(play_on, "turn_left " * 12 + "craft_wooden_pickaxe")
    assert "wooden_pickaxe" not in held(raw)  # it is behind the back
    raw = play(play_on, "turn_left " * 12 + "craft_wooden_pickaxe")
    assert held(raw)["wooden_pickaxe"] == 1


def test_a_broken_table_serves_no_more(game):
    play_on = game([["oak_planks", 16], ["stick", 8]])
    play_on.reset()
    play(play_on, f"{LOOK_DOWN} craft_crafting_table place_crafting_table")
    assert len(play_on.placed) == 1
    play(play_on, "attack noop")
    raw = play(play_on, "craft_wooden_pickaxe", wait=15)
    assert "wooden_pickaxe" not in held(raw) and not play_on.placed
    assert held(raw)["planks"] == 12  # nothing was taken


def test_breaking_and_walking_reach_the_game(game):
    play_on = game()
    start = play_on.reset().position
    raw = play(play_on, "forward " * 10 + LOOK_DOWN + " attack" * 3 + " forward" * 30)
    assert np.abs(raw.position - start)[[0, 2]].sum() > 0.5
    assert raw.position[4] == 45
    assert sum(held(raw).values()) >= 1


def test_a_new_episode_is_elsewhere_with_empty_hands(game):
    play_on = game(KIT)
    first = play_on.reset().position
    play(play_on, f"{LOOK_DOWN} {TABLE}")
    play_on.fuel = 77
    raw = play_on.reset()
    assert not raw.dead and raw.inventory[AIR] == 365 and raw.life == 20
    assert not play_on.placed and play_on.fuel == 0
    centre = episodes.draw_centre(0, 0)
    assert episodes.arrived(raw.position, centre)
    assert not episodes.arrived(first, centre)
    assert play_on.client.env.starts == 1
    log = play_on.client.env.game.log
    assert log[-1] == "spawnpoint @p" and log[-2].startswith("spreadplayers")


def test_a_world_of_its_own_takes_a_new_start(game):
    play_on = game(craftground_episodes=2)
    starts = []
    for _ in range(5):
        play_on.reset()
        starts.append(play_on.client.env.starts)
    assert starts == [1, 1, 2, 2, 3]


def test_death_is_seen_and_left(game):
    play_on = game(drops=(20,))
    play_on.reset()
    for _ in range(150):
        raw = play_on.step(NOOP)
        if raw.dead:
            break
    assert raw.dead and raw.life == 0
    raw = play_on.reset()
    assert not raw.dead and raw.life == 20


@pytest.mark.parametrize("error", [OSError("broken pipe"), RuntimeError("no start")])
def test_a_lost_game_is_started_again(game, error):
    play_on = game()
    play_on.reset()
    play_on.client.env.fail = error
    assert play_on.step(NOOP).lost
    assert play_on.reset().life == 20 and play_on.client.env.starts == 2
    play_on.losses.limit = 1
    play_on.client.env.fail = error
    with pytest.raises(EnvError, match="'craftground' lost its game 2 times"):
        play_on.step(NOOP)


def test_breath_is_counted(game):
    play_on = game()
    play_on.reset()
    seen, air = play_on.seen, []
    for submerged in [True] * 322 + [False] * 2:
        play_on._breathe(seen._replace(submerged=submerged))
        air.append(play_on.air)
    # 300 - 320 = -20 takes life and starts from 0; then -1, -2, and 4 a tick in air.
    assert (air[0], air[318], air[319], air[321], air[323]) == (299, -19, 0, -2, 6)


def test_the_environment_keeps_its_contract(game):
    game(KIT)
    env = make_env("minecraft", seed=0, backend="craftground")
    assert find_problems(env, steps=60) == []
    env.close()


def test_settings_out_of_range_and_missing_packages_are_named():
    with pytest.raises(EnvError, match="env.difficulty is 4"):
        CraftGroundBackend(seed=0, difficulty=4)
    with pytest.raises(EnvError, match="'craftground' is missing.*pip install"):
        CraftGroundBackend(seed=0)


@pytest.mark.parametrize(
    "modern, old",
    [
        ("oak_log", "log"), ("crimson_stem", "log"), ("stripped_birch_log", "log"),
        ("mushroom_stem", None), ("cherry_planks", "planks"), ("raw_iron", "iron_ore"),
        ("deepslate_iron_ore", "iron_ore"), ("cobbled_deepslate", "cobblestone"),
        ("grass_block", "grass"), ("granite", "stone"), ("lapis_lazuli", "dye"),
        ("diamond", "diamond"), ("iron_ingot", "iron_ingot"), ("furnace", "furnace"),
        ("short_grass", "tallgrass"), ("netherite_pickaxe", None), ("bundle", None),
    ],
)  # fmt: skip
def test_modern_names_have_old_ones(modern, old):
    assert names.item_of(modern) == old


def stacks(*held):
    """41 stacks, the first ones as given."""
    import chat

    rest = [chat.EMPTY] * (names.ALL - len(held))
    return names.read_inventory([chat.stack(*pair) for pair in held] + rest)


def test_unknown_items_take_a_slot_and_are_not_counted():
    inventory = stacks(("bundle", 1), ("dirt", 3))
    counts = inventory.counts()
    assert inventory.held() == "other"
    assert counts[AIR] == 363 and counts.sum() == 366


def test_planks_are_of_the_wood_they_come_from():
    order = orders.craft(stacks(("dirt", 1), ("birch_log", 2)), "planks")
    assert order.commands == (
        "clear @p minecraft:birch_log 1",
        "give @p minecraft:birch_planks 4",
    )


def test_ingredients_of_several_kinds_are_taken_in_the_order_of_slots():
    inventory = stacks(("birch_planks", 3), ("oak_planks", 2), ("birch_planks", 4))
    order = orders.craft(inventory, "crafting_table")
    assert order.commands == (
        "clear @p minecraft:birch_planks 3",
        "clear @p minecraft:oak_planks 1",
        "give @p minecraft:crafting_table 1",
    )


def test_tools_keep_their_wear_when_the_hand_is_swapped():
    order = orders.equip(stacks(("dirt", 1), ("stone_pickaxe", 1)), "stone_pickaxe")
    moves = [command.removeprefix("item replace entity @p ") for command in order[0]]
    assert moves == [
        "enderchest.0 from entity @p hotbar.0",
        "hotbar.0 from entity @p hotbar.1",
        "hotbar.1 from entity @p enderchest.0",
        "enderchest.0 with minecraft:air",
    ]
    assert orders.equip(stacks(("stone_pickaxe", 1)), "stone_pickaxe") is None
    assert orders.equip(stacks(("dirt", 1)), "stone_pickaxe") is None


def test_only_blocks_can_be_placed():
    assert orders.place(stacks(("stick", 1)), "stick", (0, 0, 0)) is None
    assert orders.place(stacks(("dirt", 1)), "cobblestone", (0, 0, 0)) is None
    order = orders.place(stacks(("dirt", 5)), "dirt", (1, -2, 3))
    assert order.before == 5 and order.placed == ("dirt", (1, -2, 3))
    assert order.commands[1].endswith(" run setblock 1 -2 3 minecraft:dirt")


@pytest.mark.parametrize(
    "yaw, pitch, target, cell",
    [
        # Feet at (0.5, 64, 0.5), eye at 65.62.
        (0, 0, (0, 65, 3), (0, 65, 2)),  # straight ahead: the near face
        (180, 0, (0, 65, -3), (0, 65, -2)),
        (90, 0, (-4, 65, 0), (-3, 65, 0)),
        (-90, 0, (4, 65, 0), (3, 65, 0)),
        (0, 45, (0, 63, 2), (0, 64, 2)),  # down at 1.62 ahead: the top
        (0, -60, (0, 67, 1), (0, 66, 1)),  # up: the bottom
        (0, 0, (0, 65, 5), None),  # 4.5 blocks ahead is just in reach, see below
        (0, 90, (0, 63, 0), None),  # the player stands there
        (0, 0, (3, 65, 3), None),  # not on the look
    ],
)
def test_a_block_goes_before_the_face_that_is_looked_at(yaw, pitch, target, cell):
    position = np.array([0.5, 64.0, 0.5, yaw, pitch])
    if target == (0, 65, 5):
        assert placing.free_cell(position, target) == (0, 65, 4)
        position[2] -= 0.01  # 4.51 blocks
    assert placing.free_cell(position, target) == cell


def test_no_place_to_stand_ends_with_a_plain_error(game, monkeypatch):
    play_on = game()
    play_on.reset()
    monkeypatch.setattr(module, "SETTLE", 2)
    monkeypatch.setattr(episodes, "arrived", lambda *_: False)
    with pytest.raises(EnvError, match="no place to stand in 5 tries"):
        play_on.reset()
