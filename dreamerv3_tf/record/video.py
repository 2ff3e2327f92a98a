"""Pictures and videos as files: GIF, MP4, and grids of several.

Frames are uint8 `[T, H, W, C]` with one channel (gray) or three (RGB).
"""

from __future__ import annotations

import io
import math
import pathlib
import subprocess

import numpy as np
from PIL import Image


def gif(frames: np.ndarray, fps: float = 20) -> bytes:
    """An endlessly repeating GIF of the frames, as the bytes of the file.

    GIF counts time in hundredths of a second, and Pillow shows equal neighbours as one
    longer frame.

    Args:
        frames: uint8 `[T, H, W, C]`.
        fps: frames per second, at most 50: browsers slow down anything faster.

    Raises:
        ValueError: the frames are not a video, or `fps` is out of range.
    """
    check_video(frames)
    if not 0 < fps <= 50:
        raise ValueError(f"A GIF plays at up to 50 frames per second, not {fps}.")
    images = [picture(frame) for frame in frames]
    buffer = io.BytesIO()
    duration = max(20, round(100 / fps) * 10)  # milliseconds
    images[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=duration,
        loop=0,
    )
    return buffer.getvalue()


def mp4(path: str | pathlib.Path, frames: np.ndarray, fps: float = 20) -> None:
    """Writes the frames as an H.264 video.

    Odd sizes are padded by one row or column, since H.264 stores color at half the
    resolution. Runs the ffmpeg that imageio-ffmpeg brings: imageio without it writes a
    TIFF under the name of the MP4 and says nothing.

    Args:
        path: file to write; its folder must exist.
        frames: uint8 `[T, H, W, C]`.
        fps: frames per second.

    Raises:
        ValueError: the frames are not a video.
        ModuleNotFoundError: imageio-ffmpeg is not installed.
        OSError: ffmpeg failed; with its own words.
    """
    check_video(frames)
    try:
        import imageio_ffmpeg
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"Writing {path} needs imageio-ffmpeg, which brings its own ffmpeg: "
            "pip install imageio-ffmpeg. GIF works without it."
        ) from error
    height, width = frames.shape[1:3]
    pad = ((0, 0), (0, height % 2), (0, width % 2), (0, 0))
    frames = np.pad(color(frames), pad, mode="edge")
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    pixels = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(fps)]
    result = subprocess.run(
        [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"),
            *(*pixels, "-i", "-"),
            *("-c:v", "libx264", "-pix_fmt", "yuv420p", str(path)),
        ],
        input=np.ascontiguousarray(frames).tobytes(),
        capture_output=True,
        check=False,
    )
    if result.returncode:
        reason = result.stderr.decode(errors="replace").strip()
        raise OSError(f"ffmpeg could not write {path}: {reason}")


def picture(image: np.ndarray) -> Image.Image:
    """A uint8 array `[H, W, C]` as a Pillow image.

    Raises:
        ValueError: it has neither one nor three channels, or is not uint8.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] not in (1, 3):
        raise ValueError(
            f"A picture is uint8 [H, W, 1 or 3], not {image.dtype} {image.shape}."
        )
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def color(images: np.ndarray) -> np.ndarray:
    """Gray `[..., 1]` or RGB `[..., 3]` images as RGB."""
    return np.repeat(images, 3, -1) if images.shape[-1] == 1 else images


def enlarge(images: np.ndarray, height: int = 256) -> np.ndarray:
    """Repeats pixels `[..., H, W, C]` as often as fits into `height`, at least once."""
    factor = max(1, height // images.shape[-3])
    return images.repeat(factor, axis=-3).repeat(factor, axis=-2)


def grid(images: np.ndarray, columns: int = 0, border: int = 0) -> np.ndarray:
    """Tiles pictures or videos of one size, row by row, in black where none is left.

    Args:
        images: `[N, H, W, C]` or `[N, T, H, W, C]`.
        columns: pictures in a row; 0 makes the grid about square.
        border: black pixels around each picture.

    Returns:
        `[rows·(H + 2·border), columns·(W + 2·border), C]`, with `T` before for videos.

    Raises:
        ValueError: `images` has another rank or is empty.
    """
    if images.ndim not in (4, 5) or not len(images):
        raise ValueError(f"A grid takes [N, (T,) H, W, C], not {images.shape}.")
    columns = columns or math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    pad = [(0, 0)] * images.ndim
    pad[0] = (0, rows * columns - len(images))
    pad[-3] = pad[-2] = (border, border)
    images = np.pad(images, pad)
    images = images.reshape(rows, columns, *images.shape[1:])  # [R, Q, (T,) H, W, C]
    images = np.moveaxis(images, (0, 1), (-5, -3))  # [(T,) R, H, Q, W, C]
    *lead, rows, height, columns, width, channels = images.shape
    return images.reshape(*lead, rows * height, columns * width, channels)


def check_video(frames: np.ndarray) -> None:
    """Makes sure of uint8 `[T, H, W, C]` with frames and one or three channels.

    Raises:
        ValueError: it is not.
    """
    shape = frames.shape
    if frames.dtype != np.uint8 or len(shape) != 4 or shape[-1] not in (1, 3):
        raise ValueError(
            f"A video is uint8 [T, H, W, 1 or 3], not {frames.dtype} {shape}."
        )
    if 0 in shape:
        raise ValueError(f"A video of shape {shape} has no pixels.")
