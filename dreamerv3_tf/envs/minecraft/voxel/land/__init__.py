"""The generated land, and the window on it that is in memory."""
