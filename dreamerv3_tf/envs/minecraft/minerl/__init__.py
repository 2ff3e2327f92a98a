"""The task on Minecraft 1.11.2 through MineRL 0.4.4, as in the paper."""

import pathlib

GAME = pathlib.Path(__file__).parent / "worker.py"
"""What `foreign_host.py` runs in the interpreter that has MineRL."""
