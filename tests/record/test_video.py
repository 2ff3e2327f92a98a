"""GIF, MP4 and grids."""

import builtins
import io
import subprocess

import numpy as np
import pytest
from PIL import Image

from dreamerv3_tf.record import video


def moving_square(channels=3, steps=6, height=32, width=32):
    frames = np.zeros((steps, height, width, channels), np.uint8)
    for step in range(steps):
        frames[step, 4:12, 4 * step : 4 * step + 8] = 255
    return frames


@pytest.mark.parametrize("channels", [1, 3])
def test_a_gif_shows_every_frame_at_its_time(channels):
    frames = moving_square(channels)
    image = Image.open(io.BytesIO(video.gif(frames, fps=10)))
    assert image.format == "GIF" and image.info["loop"] == 0
    assert image.size == (32, 32)
    assert getattr(image, "n_frames", 0) == len(frames)
    for index, frame in enumerate(frames):
        image.seek(index)
        assert image.info["duration"] == 100
        shown = np.asarray(image.convert("RGB"))
        np.testing.assert_array_equal(shown, video.color(frame))


@pytest.mark.parametrize("size", [(32, 32), (33, 31)])
def test_an_mp4_is_h264_and_reads_back(tmp_path, size):
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    frames = moving_square(1, 8, *size)
    path = tmp_path / "episode.mp4"
    video.mp4(path, frames, fps=12)
    raw = [ffmpeg, "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    decoded = subprocess.run(raw, capture_output=True, check=True)
    about = decoded.stderr.decode()
    assert "Video: h264" in about and "12 fps" in about
    height, width = (side + side % 2 for side in size)
    assert f"{width}x{height}" in about
    shown = np.frombuffer(decoded.stdout, np.uint8).reshape(-1, height, width, 3)
    assert len(shown) == 8
    # The square is where it was; compression may blur its edges.
    assert shown[-1][8, 30].min() > 200 and shown[-1][20, 4].max() < 50


def test_an_mp4_that_cannot_be_written_says_why(tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    with pytest.raises(OSError, match="No such file or directory"):
        video.mp4(tmp_path / "missing" / "x.mp4", moving_square())


def test_an_mp4_without_ffmpeg_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def importer(name, *args, **kwargs):
        if name == "imageio_ffmpeg":
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", importer)
    with pytest.raises(ModuleNotFoundError, match="pip install imageio-ffmpeg"):
        video.mp4(tmp_path / "x.mp4", moving_square())
    assert not list(tmp_path.iterdir())


def test_a_grid_tiles_row_by_row_and_leaves_the_rest_black():
    # Five pictures of one pixel in three columns.
    images = np.arange(1, 6, dtype=np.uint8).reshape(5, 1, 1, 1)
    assert video.grid(images)[..., 0].tolist() == [[1, 2, 3], [4, 5, 0]]
    assert video.grid(images, columns=2)[..., 0].tolist() == [[1, 2], [3, 4], [5, 0]]
    bordered = video.grid(images[:1], border=1)
    assert bordered[..., 0].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_a_grid_of_videos_is_a_video_of_grids():
    videos = np.random.default_rng(0).integers(0, 256, (5, 4, 3, 2, 3), np.uint8)
    tiled = video.grid(videos, border=1)
    for step in range(4):
        np.testing.assert_array_equal(tiled[step], video.grid(videos[:, step], 0, 1))


def test_pixels_are_repeated_when_enlarged():
    image = np.array([[1, 2], [3, 4]], np.uint8)[..., None]
    assert video.enlarge(image, 4)[..., 0].tolist() == [
        [1, 1, 2, 2],
        [1, 1, 2, 2],
        [3, 3, 4, 4],
        [3, 3, 4, 4],
    ]
    assert video.enlarge(image, 1).shape == image.shape


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((4, 8, 8, 3), np.float32),
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((4, 8, 8, 2), np.uint8),
        np.zeros((0, 8, 8, 3), np.uint8),
    ],
)
def test_what_is_no_video_is_refused(frames):
    with pytest.raises(ValueError, match="video"):
        video.gif(frames)
