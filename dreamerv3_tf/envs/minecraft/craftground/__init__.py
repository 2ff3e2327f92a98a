"""The task on a modern Minecraft, 1.21, through CraftGround 2.7."""
