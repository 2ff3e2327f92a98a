"""Keras layers and distributions: sizes in, tensors out; they never see a Config."""
