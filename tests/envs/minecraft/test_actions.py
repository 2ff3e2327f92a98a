"""Names, orders and spaces of the task, and what becomes of actions."""

import hashlib

import numpy as np
import pytest
from scripted import Scripted

from dreamerv3_tf.envs.minecraft.actions import (
    ACTIONS,
    COMMANDS,
    NAMES,
    Controls,
    repeated,
)
from dreamerv3_tf.envs.minecraft.backend import NOOP
from dreamerv3_tf.envs.minecraft.items import EQUIPPED, INVENTORY
from dreamerv3_tf.envs.minecraft.task import Minecraft
from dreamerv3_tf.envs.minecraft.vectors import HELD, INDEX, MILESTONES

ORDER = """noop attack turn_up turn_down turn_left turn_right forward back left right
jump place_dirt craft_planks craft_stick craft_crafting_table place_crafting_table
craft_wooden_pickaxe craft_stone_pickaxe craft_iron_pickaxe equip_stone_pickaxe
equip_wooden_pickaxe equip_iron_pickaxe craft_furnace place_furnace smelt_iron_ingot"""

JUMP, FORWARD, ATTACK = (NAMES.index(name) for name in ("jump", "forward", "attack"))
UP, DOWN, RIGHT = (NAMES.index(f"turn_{name}") for name in ("up", "down", "right"))


def controls(sticky_attack=0, sticky_jump=0, pitch_limit=(-60, 60)):
    return Controls(sticky_attack, sticky_jump, pitch_limit)


def keys(command):
    return "".join(k[0] for k in ("attack", "forward", "jump") if command[k])


@pytest.mark.parametrize(
    "names, digest",
    [(INVENTORY, ("24a462da", "23b6")), (EQUIPPED, ("3d80138a", "d5b6"))],
)
def test_the_lists_of_items_are_those_of_the_reference(names, digest):
    found = hashlib.sha256("\n".join(names).encode()).hexdigest()
    assert (found[:8], found[-4:]) == digest


def test_milestones_lie_where_the_reference_has_them():
    places = [222, 257, 342, 83, 381, 70, 349, 192, 143, 189, 193, 93]
    assert [INDEX[name] for name in MILESTONES] == places
    assert (len(INDEX), INDEX["air"], INDEX["coal"], INDEX["dirt"]) == (391, 6, 67, 106)
    assert HELD.shape == (393, 393) and (np.eye(393) == HELD).all()


def test_there_are_25_actions_in_the_order_of_the_reference():
    assert tuple(ORDER.split()) == NAMES
    assert len(NAMES) == 25


def test_each_action_is_a_whole_command():
    words = {
        "attack": {"attack": 1},
        "turn_up": {"camera": (-15, 0)},
        "turn_down": {"camera": (15, 0)},
        "turn_left": {"camera": (0, -15)},
        "turn_right": {"camera": (0, 15)},
        "jump": {"jump": 1, "forward": 1},
        "craft_planks": {"craft": "planks"},
        "place_furnace": {"place": "furnace"},
        "craft_furnace": {"nearbyCraft": "furnace"},
        "equip_iron_pickaxe": {"equip": "iron_pickaxe"},
        "smelt_iron_ingot": {"nearbySmelt": "iron_ingot"},
    }
    for name, command in zip(NAMES, COMMANDS, strict=True):
        assert set(command) == set(NOOP)
        assert command == NOOP | ACTIONS[name]
        assert name not in words or ACTIONS[name] == words[name]
    assert COMMANDS[0] == NOOP


def test_spaces_are_those_of_the_reference():
    env = Minecraft(Scripted(), "diamond")
    shapes = {
        "image": (64, 64, 3),
        "inventory": (391,),
        "inventory_max": (391,),
        "equipped": (393,),
        "health": (),
        "hunger": (),
        "breath": (),
    }
    for key, shape in shapes.items():
        kind = np.uint8 if key == "image" else np.float32
        assert (env.obs_space[key].shape, env.obs_space[key].dtype) == (shape, kind)
    assert env.act_space["action"].dtype == np.int32
    assert env.act_space["action"].classes == (25,)
    for goal in ("wood", "climb"):
        assert Minecraft(Scripted(), goal).act_space["action"].classes == (12,)


def test_a_jump_lasts_ten_steps_whatever_is_chosen():
    pad = controls(sticky_jump=10)
    sent = [keys(pad.command(i)) for i in (JUMP, *[ATTACK] * 11)]
    # The jump itself and the next nine steps, then the attack alone.
    assert sent == ["fj"] + ["afj"] * 9 + ["a"] * 2


def test_a_second_jump_starts_the_ten_steps_anew():
    pad = controls(sticky_jump=10)
    sent = [keys(pad.command(i)) for i in (JUMP, 0, 0, 0, JUMP, *[0] * 10)]
    assert sent == ["fj"] * 14 + [""]  # steps 0 to 3, then 4 to 13


def test_other_parts_of_an_action_pass_while_a_jump_lasts():
    pad = controls(sticky_jump=10)
    pad.command(JUMP)
    command = pad.command(NAMES.index("craft_planks"))
    assert (command["craft"], command["jump"], command["forward"]) == ("planks", 1, 1)


def test_an_attack_sticks_and_keeps_jumps_from_beginning():
    pad = controls(sticky_attack=3, sticky_jump=10)
    sent = [keys(pad.command(i)) for i in (ATTACK, JUMP, FORWARD, JUMP)]
    # The jump keeps its own forward, but neither its key nor its ten steps.
    assert sent == ["a", "af", "af", "fj"]


def test_a_jump_under_way_goes_on_while_an_attack_sticks():
    pad = controls(sticky_attack=3, sticky_jump=10)
    sent = [keys(pad.command(i)) for i in (JUMP, ATTACK, 0, 0, 0)]
    assert sent == ["fj", "afj", "afj", "afj", "fj"]


@pytest.mark.parametrize("step, levels", [(UP, 4), (DOWN, 4)])
def test_there_are_nine_levels_of_pitch(step, levels):
    # -60, -45, ..., 60: four turns from the middle to each end, eight from end to end.
    pad = controls()
    turns = [pad.command(step)["camera"][0] for _ in range(6)]
    assert sum(turn != 0 for turn in turns) == levels and abs(pad.pitch) == 60
    back = [pad.command(UP + DOWN - step)["camera"][0] for _ in range(10)]
    assert sum(turn != 0 for turn in back) == 8


def test_a_refused_pitch_keeps_its_yaw(monkeypatch):
    diagonal = {**NOOP, "camera": (15, 15)}
    commands = [*COMMANDS[:UP], diagonal, *COMMANDS[UP + 1 :]]
    monkeypatch.setattr("dreamerv3_tf.envs.minecraft.actions.COMMANDS", commands)
    pad = controls(pitch_limit=(-60, 20))
    assert pad.command(UP)["camera"] == (15, 15)
    assert pad.command(UP)["camera"] == (0, 15)  # 30 would be above 20
    assert pad.pitch == 15
    assert pad.command(RIGHT)["camera"] == (0, 15)


def test_yaw_has_no_limit():
    pad = controls()
    turns = {pad.command(RIGHT)["camera"] for _ in range(100)}
    assert turns == {(0, 15)}


def test_reset_lets_go_of_everything():
    pad = controls(sticky_attack=9, sticky_jump=9)
    for index in (DOWN, DOWN, JUMP, ATTACK):
        pad.command(index)
    pad.reset()
    assert pad.command(0) == NOOP
    assert sum(pad.command(UP)["camera"][0] for _ in range(9)) == -60


def test_repeats_keep_held_keys_only():
    command = {**NOOP, "forward": 1, "attack": 1, "jump": 1, "camera": (15, 15)}
    command["craft"] = "planks"
    assert repeated(command) == {**NOOP, "forward": 1, "attack": 1}


def test_what_the_controls_remember_can_be_saved():
    pad, other = controls(4, 10), controls(4, 10)
    for index in (DOWN, JUMP, ATTACK, 0):
        pad.command(index)
    other.restore(pad.state())
    assert [pad.command(DOWN) for _ in range(9)] == [
        other.command(DOWN) for _ in range(9)
    ]
