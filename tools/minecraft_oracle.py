"""Lets the scripted oracle look for diamonds in the voxel world.

    python tools/minecraft_oracle.py --seeds 100:164 [--limit STEPS] [--json FILE]
        [--video FILE.mp4|FILE.gif] [--picture FILE.png]

Prints a line for each seed, then how many found a diamond. The video and the picture,
one tile for each milestone, are of the first seed. Exits with 1 where fewer than 90 in
100 found a diamond, with 2 for a wrong option. MP4 needs imageio-ffmpeg.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import sys
from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from dreamerv3_tf.envs.base import Env  # noqa: E402
from dreamerv3_tf.envs.minecraft.voxel.oracle.episodes import (  # noqa: E402
    LIMIT,
    Story,
    play,
)
from dreamerv3_tf.record import video  # noqa: E402

ENOUGH = 0.9  # share of the seeds
EVERY, RATE = 4, 20  # steps for each frame of the video, and frames in a second
COLUMNS = 4  # tiles in a row


class Camera:
    """Takes a picture of every few steps, and one of each milestone.

    Args:
        films: whether the steps are filmed, or only milestones are taken.
    """

    def __init__(self, films: bool):
        self.films = films
        self.frames: list[np.ndarray] = []
        self.tiles: list[np.ndarray] = []

    def watch(self, env: Env, step: int, milestones: Mapping[str, int]) -> None:
        """See `episodes.Watch`."""
        new = [name for name, reached in milestones.items() if reached == step]
        films = self.films and step % EVERY == 0
        if new or films:
            frame = env.render()
            if films:
                self.frames.append(frame)
            if new:
                self.tiles.append(write(frame, f"{step}: {', '.join(new)}"))


def write(picture: np.ndarray, text: str) -> np.ndarray:
    """The picture with a line of text on its top."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, image.width, 14), fill=(0, 0, 0))
    draw.text((4, 2), text, fill=(255, 255, 255))
    return np.asarray(image)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    option = parser.add_argument
    option("--seeds", type=seeds, default="100:164", help="FIRST:END, or one seed")
    option("--limit", type=int, default=LIMIT, help="steps of an episode")
    option("--json", type=pathlib.Path, help="file to write")
    option("--video", type=pathlib.Path, help="file to write, .mp4 or .gif")
    option("--picture", type=pathlib.Path, help="file to write, .png")
    args = parser.parse_args(argv)
    if args.video and args.video.suffix not in (".mp4", ".gif"):
        parser.error(f"--video {args.video}: expected a name with .mp4 or .gif")
    return args


def seeds(text: str) -> range:
    """Seeds of `FIRST:END` or of a single number."""
    first, colon, end = text.partition(":")
    found = range(int(first), int(end) if colon else int(first) + 1)
    if not found:
        raise ValueError(text)
    return found


def line(story: Story) -> str:
    """One episode in a line."""
    reached = ", ".join(f"{name} {step}" for name, step in story.milestones.items())
    found = "diamond" if story.has_diamond else "nothing"
    text = f"{story.seed:>6}  {found}  {story.score:7.4f}  {story.steps:>5} steps  "
    return text + reached + (f"  [{story.reason}]" if story.reason else "")


def save(camera: Camera, args: argparse.Namespace) -> None:
    """Writes the video and the picture that were asked for."""
    if args.video:
        frames = np.stack(camera.frames)
        if args.video.suffix == ".gif":
            args.video.write_bytes(video.gif(frames, RATE))
        else:
            video.mp4(args.video, frames, RATE)
    if args.picture and camera.tiles:
        tiles = video.grid(np.stack(camera.tiles), COLUMNS, border=2)
        video.picture(tiles).save(args.picture)


def summarize(stories: list[Story]) -> dict[str, float]:
    """Share of episodes with a diamond, their median steps (0: none), mean score."""
    won = [story.steps for story in stories if story.has_diamond]
    return {
        "rate": len(won) / len(stories),
        "steps": statistics.median(won) if won else 0,
        "score": statistics.mean(story.score for story in stories),
    }


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    camera = Camera(films=bool(args.video))
    stories = []
    for seed in args.seeds:
        first = seed == args.seeds[0] and (args.video or args.picture)
        stories.append(
            play(seed, limit=args.limit, watch=camera.watch if first else None)
        )
        print(line(stories[-1]), flush=True)
    summary = summarize(stories)
    print(
        f"{summary['rate']:.1%} of {len(stories)} found a diamond, in the median after "
        f"{summary['steps']:.0f} steps; mean return {summary['score']:.3f}"
    )
    try:
        save(camera, args)
        if args.json:
            rows = [story._asdict() for story in stories]
            text = json.dumps({"summary": summary, "episodes": rows}, indent=1)
            args.json.write_text(text + "\n", encoding="utf-8")
    except (OSError, ModuleNotFoundError) as error:
        print(f"minecraft_oracle: {error}", file=sys.stderr)
        return 2
    return 0 if summary["rate"] >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main())
