"""Numba as this world uses it: quick to compile, with a cache that is never stale."""
