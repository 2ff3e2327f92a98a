"""Parts of `tools/minecraft_play.py`."""
