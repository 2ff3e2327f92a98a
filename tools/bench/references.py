"""Numbers of the authors' JAX code, to compare with.

Source: DreamerV3 by Hafner et al. as published in 2025 on JAX 0.4.33, float32, batch
16x64, horizon 15, measured for this project on a machine with two cores of an AMD EPYC
and 23 GiB of memory. Where two values are given, runs differed by that much. They were
measured elsewhere: a factor against them tells the order of things, not more.
"""

from __future__ import annotations

TITLE = "JAX, float32, measured elsewhere"

REFERENCES: dict[str, tuple[float, ...]] = {
    "train/1m_vector/step": (0.61,),
    "train/12m_vector/step": (4.1,),
    "train/1m_image/step": (4.4, 5.8),
    "train/12m_image/step": (18.5,),
    "train/1m_vector/first_call": (30.0,),  # trace, lower and compile
    "train/1m_vector/peak_memory": (891.0,),
    "train/1m_image/peak_memory": (1843.0,),
    "train/12m_image/peak_memory": (4813.0,),
    "start/1m/first_step": (35.0,),
    "policy/1m_vector/batch_1": (0.8, 1.5),
    "replay/1m_vector/insert": (16e3, 35e3),
    "replay/1m_vector/sample": (1500.0,),
    "replay/1m_image/insert": (16e3, 35e3),
    "replay/1m_image/sample": (900.0,),
    "learning/1m/seconds": (1230.0,),
    "learning/1m/score_4k": (270.0,),
    "learning/1m/score_16k": (336.0,),
    "learning/1m/score_24k": (471.0,),
    "learning/1m/score_36k": (548.0,),
    "learning/1m/score_48k": (630.0,),
}
"""By the name of the figure, in its unit."""


def factor(figure: dict, other: tuple[float, ...]) -> float:
    """How many times better than the best of other values the median is."""
    if figure["better"] == "low":
        return min(other) / figure["median"]
    return figure["median"] / max(other)
