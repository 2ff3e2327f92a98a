"""Small trainings in this process, whose losses can be compared number by number."""

import contextlib

from dreamerv3_tf import presets
from dreamerv3_tf.record.metrics import Metrics
from dreamerv3_tf.run import device
from dreamerv3_tf.run.build import build_envs
from dreamerv3_tf.run.session import open_session
from dreamerv3_tf.run.train import Trainer

SETTINGS = (
    "compute.device=cpu",
    "compute.xla=off",
    "compute.deterministic=false",  # it would hold for all tests that come after
    "run.parallel=none",
    "run.prefill=4",
    "run.train_ratio=40",  # a train step per agent step
    "log.outputs=[]",
    "env.length=16",
    "eval.every=40",
)


class Watched(Metrics):
    """Keeps the loss of each train step besides."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def add(self, values, *args, **kwargs):
        self.losses.append(float(values["opt/loss"]))
        super().add(values, *args, **kwargs)


class Points:
    """An output of the logger that keeps all points."""

    def __init__(self):
        self.points = []

    def write(self, points):
        self.points += points

    def close(self):
        pass


def settings(*changes, task="dummy_disc"):
    return presets.load(task, ["debug"], [*SETTINGS, *changes])


@contextlib.contextmanager
def training(logdir, *changes, evaluations=False, task="dummy_disc"):
    """A trainer whose `.points` and `.metrics.losses` can be looked at."""
    config = settings(*changes, task=task)
    with contextlib.ExitStack() as stack:
        envs = build_envs(config)
        stack.callback(envs.close)
        chosen = device.set_up(config.compute)
        session = open_session(config, chosen, logdir, envs, outputs=True)
        stack.callback(session.close)
        trainer = Trainer(session, envs, evaluations)
        stack.callback(trainer.close)
        trainer.metrics = Watched()
        output = Points()
        session.logger.outputs.append(output)
        trainer.points = output.points
        trainer.notices = []
        session.notice = trainer.notices.append
        yield trainer


def steps(trainer, count):
    """Acts until so many more train steps are done; returns their losses."""
    start = len(trainer.metrics.losses)
    while len(trainer.metrics.losses) < start + count:
        trainer.driver.step()
    return trainer.metrics.losses[start : start + count]
