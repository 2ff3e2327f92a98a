"""Pictures of items that are not blocks, 16x16 texels; see `textures.py`."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel.picture.textures import SIZE, Colour, draw

PICKAXE = """..hhhhhh....
             .hhhhhhhhs..
             ......hhsss.
             .......sshhh
             ......sss.hh
             .....sss..hh
             ....sss...hh
             ...sss....hh
             ..sss.....hh
             .sss......h.
             sss.........
             ss.........."""
HEADS = {"wooden": (150, 112, 62), "stone": (140, 140, 140), "iron": (224, 224, 224)}

STICK = """..........ss
           .........sss
           ........sss.
           .......sss..
           ......sss...
           .....sss....
           ....sss.....
           ...sss......
           ..sss.......
           .sss........
           sss.........
           ss.........."""
LUMP = """...aaaa...
          ..abbaaa..
          .abbaaaac.
          aabaaaaacc
          aaaaaaaacc
          aaaaaaaccc
          .aaaaaccc.
          ..acccc..."""
INGOT = """.......bbbb.
           .....bbbbbba
           ...bbbbbbaaa
           .bbbbbbaaaac
           bbbbbaaaaacc
           baaaaaaaccc.
           aaaaaaccc...
           aaaaccc.....
           .ccc........"""
GEM = """...bbbbb...
         ..bbwwabb..
         .bbwwaaabb.
         bbwwaaaaabb
         bwaaaaaaacb
         .baaaaaacb.
         ..baaaacb..
         ...baacb...
         ....bcb....
         .....b....."""
DUST = """....a.....
          ...aab.a..
          .a.abaa...
          ..aaaaab..
          .abaabaaa.
          aaaaaaaaba
          .bbaaabbb."""
SEEDS = """...a....
           ..ab..a.
           a....ab.
           ab..a...
           ...ab..a
           .a....ab
           ab..a..."""
MEAT = """......aaaa..
          ....aaaaaaa.
          ..aaaabbaaaa
          .aaaabbbaaaa
          aaaaaabaaaac
          aaaaaaaaaacc
          caaaaaaaacc.
          .ccaaaaccc..
          ...cccc....."""
BONE = """........bb..
         ........bbb.
         ......abbbbb
         .....aab.bb.
         ....aab.....
         ...aab......
         ..aab.......
         .bab........
         bbbb........
         .bbb........
         ..b........."""
THREAD = """.aa....aaa..
           a..a..a...a.
           a...aa....a.
           .a...a...a..
           ..a..aa.a...
           ...aa..a....
           ..a..a..aa..
           ..aaa.....aa"""
ORB = """..aaaa..
         .abbaaa.
         abbaaaac
         abaaaaac
         aaaaaaac
         aaaaaacc
         .aaaacc.
         ..cccc.."""
APPLE = """.....s..
          ....s...
          .aaasaa.
          abbaaaaa
          abaaaaac
          aaaaaaac
          aaaaaacc
          .aaaacc.
          ..cc.c.."""
FEATHER = """.........bbb
            .......bbbba
            .....bbbbaab
            ....bbbaabb.
            ...bbaabbb..
            ..bbaabbb...
            ..baabb.....
            ..aab.......
            .aa.........
            aa.........."""
ARROW = """.........fff
           ........fff.
           .......ssff.
           ......ss.f..
           .....ss.....
           ....ss......
           ...ss.......
           ggss........
           ggg.........
           .gg........."""
HIDE = """.aa....aa.
          aabaaaabaa
          .abbbbbba.
          .abbbbbba.
          ..abbbba..
          .abbbbbba.
          aabaaaabaa
          .aa....aa."""


def _shades(colour: Colour) -> dict[str, Colour]:
    """A colour, a lighter and a darker one, as `a`, `b` and `c`."""
    base = np.asarray(colour, np.float32)
    lighter, darker = base + (255 - base) * 0.45, base * 0.62
    return {"a": colour, "b": lighter.tolist(), "c": darker.tolist()}


SHAPES: dict[str, tuple[str, Colour]] = {
    "coal": (LUMP, (44, 44, 46)), "flint": (LUMP, (70, 70, 74)),
    "clay_ball": (ORB, (164, 170, 184)), "snowball": (ORB, (226, 238, 246)),
    "egg": (ORB, (222, 206, 160)), "slime_ball": (ORB, (110, 190, 90)),
    "iron_ingot": (INGOT, (206, 206, 206)), "gold_ingot": (INGOT, (244, 206, 56)),
    "diamond": (GEM, (92, 224, 220)), "emerald": (GEM, (30, 200, 90)),
    "redstone": (DUST, (210, 10, 8)), "dye": (DUST, (34, 80, 200)),
    "gunpowder": (DUST, (108, 108, 108)), "sugar": (DUST, (236, 236, 240)),
    "wheat_seeds": (SEEDS, (90, 150, 60)), "bone": (BONE, (206, 204, 186)),
    "string": (THREAD, (228, 228, 228)), "spider_eye": (ORB, (166, 30, 50)),
    "rotten_flesh": (MEAT, (160, 90, 56)), "beef": (MEAT, (196, 44, 40)),
    "porkchop": (MEAT, (238, 142, 134)), "mutton": (MEAT, (216, 84, 76)),
    "chicken": (MEAT, (238, 196, 176)), "apple": (APPLE, (214, 30, 32)),
    "feather": (FEATHER, (226, 226, 226)), "leather": (HIDE, (176, 96, 48)),
    "arrow": (ARROW, (140, 140, 140)), "unknown": (LUMP, (150, 110, 170)),
}  # fmt: skip
"""Drawing and colour of an item; `unknown` serves for any other."""

EXTRA: dict[str, Colour] = {
    "s": (110, 78, 40), "w": (255, 255, 255), "f": (232, 232, 232),
    "g": (130, 130, 134),
}  # fmt: skip


def icons() -> dict[str, np.ndarray]:
    """Pictures of items by `item/` and their name."""
    blank = np.zeros((SIZE, SIZE, 4), np.float32)
    out = {
        f"item/{name}": draw(blank, art, {**_shades(colour), **EXTRA})
        for name, (art, colour) in SHAPES.items()
    }
    out["item/stick"] = draw(blank, STICK, EXTRA)
    for name, colour in HEADS.items():
        art = {"h": colour, "s": EXTRA["s"]}
        out[f"item/{name}_pickaxe"] = draw(blank, PICKAXE, art)
    return out
