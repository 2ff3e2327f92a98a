"""A scripted player that sees everything but acts through the 25 actions only."""
