"""Scores of runs: reading, averaging, published ones, statistics, pictures."""
