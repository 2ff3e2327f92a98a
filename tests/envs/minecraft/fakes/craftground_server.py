"""The game's side of CraftGround's socket, as its mod speaks it, over `chat.ChatGame`.

Started by a `gradlew` in place of Gradle. Messages are uint32 (little endian) lengths
and protocol buffers of the published package. The environment has `PORT`, and `FAKE`,
the settings of the game as JSON.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys

import numpy as np
from chat import ChatGame
from craftground.proto.action_space_pb2 import ActionSpaceMessageV2
from craftground.proto.initial_environment_pb2 import InitialEnvironmentMessage
from craftground.proto.observation_space_pb2 import HitResult, ObservationSpaceMessage

KEYS = ("forward", "back", "left", "right", "jump", "sneak", "attack")


class Connection:
    """Messages with a length before each."""

    def __init__(self, port):
        path = f"/tmp/minecraftrl_{port}.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            server.bind(path)
            server.listen(1)
            self.socket, _ = server.accept()

    def receive(self, kind):
        """The next message, or None where the client is gone."""
        length = self.read(4)
        if length is None:
            return None
        body = self.read(struct.unpack("<I", length)[0])
        return None if body is None else kind.FromString(body)

    def read(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                return None
            data += part
        return data

    def send(self, message):
        data = message.SerializeToString()
        self.socket.sendall(struct.pack("<I", len(data)) + data)


def check_settings(initial):
    """What the game would be started with."""
    assert initial.imageSizeX == initial.imageSizeY == 64, initial
    assert initial.hudHidden and initial.no_fov_effect and initial.request_raycast
    assert initial.screen_encoding_mode == 0 and initial.gamemode == 0
    assert (initial.fov, initial.difficulty, initial.seed) == (130, 2, "")
    assert initial.render_distance == initial.simulation_distance == 6


def observation(seen):
    """The message for what a `ChatGame` shows; its picture is bottom-up."""
    message = ObservationSpaceMessage(
        image=np.ascontiguousarray(seen["image"][::-1]).tobytes(),
        health=seen["health"],
        food_level=seen["food_level"],
        is_dead=seen["is_dead"],
        submerged_in_water=seen["submerged"],
    )
    message.x, message.y, message.z, message.yaw, message.pitch = seen["pose"]
    for held in seen["inventory"]:
        message.inventory.add(**held._asdict())
    message.raycast_result.type = HitResult.Type.MISS
    if seen["target"]:
        message.raycast_result.type = HitResult.Type.BLOCK
        block = message.raycast_result.target_block
        block.x, block.y, block.z = seen["target"]
    return message


def serve():
    """Plays until the client leaves or says `exit`."""
    connection = Connection(int(os.environ["PORT"]))
    initial = connection.receive(InitialEnvironmentMessage)
    check_settings(initial)
    game = ChatGame(initial.imageSizeX, **json.loads(os.environ.get("FAKE", "{}")))
    for command in initial.initialExtraCommands:
        game.run(command)
    connection.send(observation(game.observe()))
    crash = int(os.environ.get("FAKE_CRASH", "0"))  # tick that ends the game
    while True:
        action = connection.receive(ActionSpaceMessageV2)
        if action is None or "exit" in action.commands:
            return
        if crash and game.ticks >= crash:
            sys.exit(134)
        command = {key: int(getattr(action, key)) for key in KEYS}
        # The mod turns degrees into whole pixels of the mouse, 20/3 each.
        pixels = [int(action.camera_pitch * 20 / 3), int(action.camera_yaw * 20 / 3)]
        command["camera"] = tuple(count * 3 / 20 for count in pixels)
        connection.send(observation(game.act(command, action.commands)))


if __name__ == "__main__":
    serve()
