"""CraftGround's Python package without its transport: its modules, over `ChatGame`."""

from __future__ import annotations

import enum
import types

from chat import ChatGame


class Choice(enum.Enum):
    """All of the package's enumerations in one."""

    SURVIVAL = 0
    DEFAULT = "default"
    RAW = "raw"
    V2_MINERL_HUMAN = 2


class Environment:
    """What `craftground.make` returns, as far as it is used.

    Args:
        config: keyword arguments of the configuration.
        game: settings of `ChatGame`.
    """

    def __init__(self, config, game):
        self.config, self.settings = config, game
        self.game, self.process = None, None
        self.commands, self.starts = [], 0
        self.fail = None  # an error to raise at the next step

    def reset(self, *, options):
        if not options["fast_reset"] or self.game is None:
            self.starts += 1
            self.game = ChatGame(self.config["image_width"], **self.settings)
            for command in self.config["initial_extra_commands"]:
                self.game.run(command)
            obs = self.encode(self.game.observe())
        else:
            chat = f"fastreset {';'.join(options['extra_commands'])}"
            obs = self.encode(self.game.act({}, [chat]))
        return obs, obs

    def add_commands(self, commands):
        self.commands.extend(commands)

    def step(self, action):
        if self.fail:
            error, self.fail, self.game = self.fail, None, None
            raise error
        keys = ("forward", "back", "left", "right", "jump", "sneak", "attack")
        command = {key: int(action[key]) for key in keys}
        command["camera"] = (action["camera_pitch"], action["camera_yaw"])
        chat, self.commands = self.commands, []
        obs = self.encode(self.game.act(command, chat))
        return obs, 0, False, False, obs

    def encode(self, seen):
        hit = types.SimpleNamespace(type=0, Type=types.SimpleNamespace(BLOCK=1))
        if seen["target"]:
            x, y, z = seen["target"]
            hit.type, hit.target_block = 1, types.SimpleNamespace(x=x, y=y, z=z)
        x, y, z, yaw, pitch = seen["pose"]
        full = types.SimpleNamespace(
            x=x,
            y=y,
            z=z,
            yaw=yaw,
            pitch=pitch,
            health=seen["health"],
            food_level=seen["food_level"],
            is_dead=seen["is_dead"],
            inventory=seen["inventory"],
            raycast_result=hit,
            submerged_in_water=seen["submerged"],
        )
        return {"full": full, "pov": seen["image"][::-1][::-1]}

    def terminate(self):
        self.game = None


def no_op():
    """The action that does nothing."""
    keys = "attack back forward jump left right sneak sprint use drop inventory"
    action = dict.fromkeys(keys.split(), False)
    return {**action, "camera_pitch": 0.0, "camera_yaw": 0.0}


def modules(**game):
    """The fake modules by name.

    Args:
        **game: settings of `ChatGame`.
    """
    config = {
        "InitialEnvironmentConfig": lambda **settings: settings,
        "GameMode": Choice,
        "Difficulty": int,
        "WorldType": Choice,
    }
    actions = {"no_op_v2": no_op, "ActionSpaceVersion": Choice}

    def make(*, initial_env_config, port, env_path, action_space_version):
        assert action_space_version is Choice.V2_MINERL_HUMAN
        assert port == 8000 and env_path is None
        return Environment(initial_env_config, game)

    contents = {
        "craftground": {"make": make},
        "craftground.initial_environment_config": config,
        "craftground.environment": {},
        "craftground.environment.action_space": actions,
        "craftground.screen_encoding_modes": {"ScreenEncodingMode": Choice},
    }
    made = {name: types.ModuleType(name) for name in contents}
    for name, content in contents.items():
        vars(made[name]).update(content)
    return made
