"""DreamerV3 in TensorFlow and Keras.

Importing the package imports nothing heavy: processes that only step environments never
load TensorFlow.
"""

import os

__version__ = "0.1.0"

# TFP 0.23, which tf-agents 0.19 asks for, works with TensorFlow 2.21 only when
# `tf.keras` is the legacy Keras. Read at the first use of `tf.keras`, so it is set
# before anything else. Our layers are Keras 3 (`import keras`) and do not notice.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
