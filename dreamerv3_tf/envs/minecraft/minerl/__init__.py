"""The task on Minecraft 1.11.2 through MineRL 0.4.4, as in the paper."""
