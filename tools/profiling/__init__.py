"""What `tools/profile.py` measures, and how."""
