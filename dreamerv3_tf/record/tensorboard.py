"""Metrics as TensorBoard event files."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dreamerv3_tf.record import video
from dreamerv3_tf.record.logger import Kind, Point


class TensorBoard:
    """Writes scalars, texts, images, histograms and videos (as animated GIF).

    TensorFlow is imported when this is constructed, not with the module. Videos are
    image summaries that hold the bytes of a GIF; TensorBoard shows them in its image
    tab. `tf.summary` has no video of its own.

    Args:
        directory: folder of the run, or one below; event files are added to it.
        hparams: the configuration, flat by dotted key, for the hyperparameter tab.
            Lists and the like are shown as text.
        fps: frames per second of videos.
    """

    def __init__(
        self,
        directory: str | pathlib.Path,
        hparams: Mapping[str, Any] | None = None,
        fps: float = 20,
    ):
        import tensorflow as tf

        self._tf: Any = tf
        self._fps = fps
        self._writer: Any = tf.summary.create_file_writer(str(directory))
        if hparams is not None:
            self._write_hparams(hparams)

    def write(self, points: Sequence[Point]) -> None:
        """Writes the points and flushes them to the disk."""
        summary = self._tf.summary
        with self._writer.as_default():
            for point in points:
                step, name, value = point.step, point.name, point.value
                match point.kind:
                    case Kind.SCALAR:
                        summary.scalar(name, value, step)
                    case Kind.TEXT:
                        summary.text(name, value, step)
                    case Kind.HISTOGRAM:
                        summary.histogram(name, np.asarray(value, np.float64), step)
                    case Kind.IMAGE:
                        self._write_image(step, name, value.shape, _png(value))
                    case Kind.VIDEO:
                        encoded = video.gif(value, self._fps)
                        self._write_image(step, name, value.shape[1:], encoded)
        self._writer.flush()

    def close(self) -> None:
        """Closes the event file."""
        self._writer.close()

    def _write_image(
        self, step: int, name: str, shape: tuple[int, ...], encoded: bytes
    ) -> None:
        proto = self._tf.compat.v1.Summary
        image = proto.Image(
            height=shape[0],
            width=shape[1],
            colorspace=shape[2],
            encoded_image_string=encoded,
        )
        event = proto(value=[proto.Value(tag=name, image=image)])
        self._tf.summary.experimental.write_raw_pb(event.SerializeToString(), step)

    def _write_hparams(self, hparams: Mapping[str, Any]) -> None:
        from tensorboard.plugins.hparams import api

        plain = (bool, int, float, str)
        values = {
            key: value if isinstance(value, plain) else str(value)
            for key, value in hparams.items()
        }
        with self._writer.as_default():
            api.hparams(values)
        self._writer.flush()


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    video.picture(image).save(buffer, format="PNG")
    return buffer.getvalue()
