"""What happens in a tick: to the player, to things, to animals and monsters."""
