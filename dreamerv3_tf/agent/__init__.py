"""The algorithm; reads like the paper."""
