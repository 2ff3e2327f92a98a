"""Keras layers and distributions: sizes in, tensors out; nothing here knows a Config."""
