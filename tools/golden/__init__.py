"""Checks against recorded numbers of the reference; run by `tools/check_golden.py`."""
