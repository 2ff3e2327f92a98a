"""Minecraft 1.21 through CraftGround: the task's commands, checked by our own rules."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.base import EnvError
from dreamerv3_tf.envs.minecraft import rules
from dreamerv3_tf.envs.minecraft.backend import CHOICES, NOOP, Command, Raw
from dreamerv3_tf.envs.minecraft.craftground import episodes, orders, placing
from dreamerv3_tf.envs.minecraft.craftground.client import Client, GameLost, Seen
from dreamerv3_tf.envs.minecraft.craftground.orders import Cell, Order
from dreamerv3_tf.envs.minecraft.items import EQUIPPED
from dreamerv3_tf.envs.minecraft.losses import ClosedGame, Losses

COLUMN = {name: index for index, name in enumerate(EQUIPPED)}
STATIONS = ("crafting_table", "furnace")
PATIENCE = 10  # ticks until an order must show in the inventory
SETTLE = 100  # ticks that the player has to come back to life in a new place
TRIES = 5  # places that are tried for one episode; some are in the sea
BREATH = 300  # ticks under water
DROWNING = -20  # where the game takes life, and breath starts again from 0
REFILL = 4  # ticks of breath won back by one tick in the air


class CraftGroundBackend(ClosedGame):
    """A modern game.

    An episode begins at another place of the same world, far from all others; a world
    of its own takes a new start of Java, minutes. Places follow from the seed, worlds
    are random.

    Args:
        seed: of the places where episodes begin.
        size: height and width of the picture, pixels.
        break_speed: factor on the speed of breaking blocks.
        fov: field of view, degrees.
        difficulty: 0 peaceful to 3 hard.
        craftground_runtime: folder of CraftGround's mod; empty takes the installed one.
        craftground_episodes: episodes in one world; 0 never leaves it.

    Raises:
        EnvError: a package is missing, or a setting is out of its range.
    """

    name = "craftground"

    def __init__(
        self,
        *,
        seed: int,
        size: int = 64,
        break_speed: float = 100.0,
        fov: float = 130.0,
        difficulty: int = 2,
        craftground_runtime: str = "",
        craftground_episodes: int = 0,
    ):
        if not 0 <= difficulty <= 3:
            raise EnvError(f"env.difficulty is {difficulty}, expected 0, 1, 2 or 3.")
        self.seed, self.break_speed = seed, break_speed
        config = episodes.settings(size, fov, 6, break_speed)
        self.client = Client(config, difficulty, craftground_runtime)
        self.losses = Losses(self.name)
        self.per_world, self.in_world = craftground_episodes, 0
        self.episode = 0  # places drawn so far
        self.running = False
        self.seen: Seen | None = None
        self._clear()

    def reset(self) -> Raw:
        """A new episode; a game that broke down is started again.

        Raises:
            EnvError: no game starts.
        """
        while True:
            try:
                self._clear()
                self.seen = self._begin()
                return self._raw()
            except GameLost as error:
                self.running = False
                self.losses.note(str(error))

    def step(self, command: Command) -> Raw:
        """One tick."""
        assert self.seen, "an episode begins with reset()"
        self._confirm(self.seen)
        order = None if self.pending else self._order(command, self.seen)
        try:
            self.seen = self.client.step(command, order.commands if order else ())
        except GameLost as error:
            self.running = False
            self.losses.note(str(error))
            return self._raw()._replace(lost=True)
        if order:
            self.pending, self.waited = order, 0
        self._breathe(self.seen)
        return self._raw()

    def image(self) -> np.ndarray | None:
        """See `ClosedGame`."""
        return self.seen.image if self.seen else None

    def close(self) -> None:
        """Ends the game."""
        self.running = False
        self.client.close()

    def _clear(self) -> None:
        """Forgets all that belongs to an episode."""
        self.placed: dict[Cell, str] = {}  # tables and furnaces of the player
        self.fuel = 0  # ticks left in the furnace
        self.air = BREATH
        self.pending: Order | None = None  # sent, and not seen yet
        self.waited = 0

    def _begin(self) -> Seen:
        """First observation of an episode, alive and in its place.

        Raises:
            GameLost: the game is gone.
            EnvError: no place was found.
        """
        fresh = self.per_world and self.in_world >= self.per_world
        if not self.running or fresh:
            seen = self.client.start()
            self.running, self.in_world = True, 1
            return self._settle(seen, None)
        self.in_world += 1
        for _ in range(TRIES):
            centre = episodes.draw_centre(self.seed, self.episode)
            self.episode += 1
            chat = episodes.episode_commands(centre, self.break_speed)
            seen = self._settle(self.client.restart(chat), centre)
            if episodes.arrived(seen.position, centre) and not seen.dead:
                return seen
        raise EnvError(
            f"CraftGround: no place to stand in {TRIES} tries; the commands "
            "'spreadplayers' or 'kill' do not work in this world. Are cheats allowed?"
        )

    def _settle(self, seen: Seen, centre: tuple[int, int] | None) -> Seen:
        """Waits until the player is alive again, in the new place, with empty hands."""
        for _ in range(SETTLE):
            there = centre is None or episodes.arrived(seen.position, centre)
            if there and not seen.dead and not any(seen.inventory.ids):
                break
            seen = self.client.step(NOOP)
        return seen

    def _order(self, command: Command, seen: Seen) -> Order | None:
        """The chat commands for a choice of the command, if it is allowed now."""
        chosen = [key for key in CHOICES if command[key] != "none"]
        if not chosen or seen.dead:
            return None
        key, name, inventory = chosen[0], command[chosen[0]], seen.inventory
        if key == "place":
            return self._place(name, seen)
        if key == "equip":
            return orders.equip(inventory, name)
        if key == "craft":
            return orders.craft(inventory, name)
        station = self._near("crafting_table" if key == "nearbyCraft" else "furnace")
        if station is None:
            return None
        if key == "nearbyCraft":
            return orders.craft(inventory, name, station)
        return orders.smelt(inventory, self.fuel, name, station)

    def _place(self, name: str, seen: Seen) -> Order | None:
        if seen.target is None:
            return None
        cell = placing.free_cell(seen.position, seen.target)
        return orders.place(seen.inventory, name, cell) if cell else None

    def _near(self, station: str) -> Cell | None:
        """A table or furnace that the player placed and that is near and in view."""
        assert self.seen
        x, y, z, yaw, pitch = self.seen.position
        for cell, name in self.placed.items():
            centre = [axis + 0.5 for axis in cell]
            if name == station and rules.nearby(x, y, z, yaw, pitch, centre):
                return cell
        return None

    def _confirm(self, seen: Seen) -> None:
        """Looks whether the order that was sent last has shown its effect.

        Until then no other is sent: its ingredients could be spent twice.
        """
        order = self.pending
        if order is None:
            return
        self.waited += 1
        if order.worked(seen.inventory):
            if order.fuel is not None:
                self.fuel = order.fuel
            if order.placed and order.placed[0] in STATIONS:
                self.placed[order.placed[1]] = order.placed[0]
            self.pending = None
        elif self.waited >= PATIENCE:
            if order.station:  # it has been broken
                self.placed.pop(order.station, None)
            self.pending = None

    def _breathe(self, seen: Seen) -> None:
        """Counts breath, which the game does not tell."""
        if not seen.submerged:
            self.air = min(BREATH, self.air + REFILL)
        else:
            self.air -= 1
            if self.air <= DROWNING:
                self.air = 0

    def _raw(self) -> Raw:
        seen = self.seen
        assert seen
        return Raw(
            image=seen.image,
            inventory=seen.inventory.counts(),
            equipped=COLUMN[seen.inventory.held()],
            life=seen.life,
            food=seen.food,
            air=self.air,
            position=seen.position,
            dead=seen.dead or seen.life <= 0,
        )
