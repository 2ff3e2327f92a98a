"""Pictures of MuJoCo without OpenGL: rays are traced on the CPU, by mujoco-warp.

Needs no system package, no screen and no root, may share a process with TensorFlow, and
takes about 3 ms for 64 by 64 pixels, where a software OpenGL takes 20. The pictures
resemble OpenGL's and are not the same, so it is used only where a person asks for it,
and stands beside the scores (`dmc.facts`). Tendons, such as the string of
`ball_in_cup`, are not drawn, and nothing is mirrored in the floor.

The first picture of a task on a machine takes some seconds, since its kernels are
compiled; they stay in a cache of the user. Where there is no GPU the package says so on
the standard error, which does not matter here.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

import numpy as np

from dreamerv3_tf.envs.base import require

INSTALL = "'dreamerv3_tf[warp]'"
GROUPS = (0, 1, 2)  # of shapes and sites that are drawn, as OpenGL does
SAMPLES = 2  # rays along each side of a pixel


class Painter:
    """Draws what one camera of a simulation sees.

    Args:
        model: of the simulation, the one that was loaded last (`mujoco.MjModel`).
        size: height and width of the pictures, pixels.
        camera: its number.

    Raises:
        EnvError: the package is missing.
    """

    def __init__(self, model: Any, size: tuple[int, int], camera: int):
        self.warp = require("warp", INSTALL)
        self.warp.config.log_level = self.warp.LOG_WARNING
        self.mjw = require("mujoco_warp", INSTALL)
        self.size, self.camera = size, camera
        scene = with_sites(model)
        self.order = drawing_order(model, scene)
        height, width = size
        with self.warp.ScopedDevice("cpu"):
            self.model = self.mjw.put_model(scene)
            self.data = self.mjw.make_data(scene)
            self.context = self.mjw.create_render_context(
                scene,
                cam_res=(width, height),
                render_rgb=True,
                cam_active=[camera],
                use_shadows=True,
                enabled_geom_groups=list(GROUPS),
                render_skybox=True,
                samples_per_pixel=SAMPLES,
            )
            self.canvas = self.warp.zeros((1, height, width), dtype=self.warp.vec3)

    def draw(self, model: Any, data: Any) -> np.ndarray:
        """The picture, uint8 `[height, width, 3]`, of the simulation as it stands.

        Args:
            model: of the simulation; tasks change sizes and colours in it.
            data: its state, with all positions computed.
        """
        self._copy(model, data)
        with self.warp.ScopedDevice("cpu"):
            self.mjw.refit_bvh(self.model, self.data, self.context)
            self.mjw.render(self.model, self.data, self.context)
            self.mjw.get_rgb(self.context, 0, self.canvas)
        picture = self.canvas.numpy()[0] * 255
        return np.clip(picture.round(), 0, 255).astype(np.uint8)

    def _copy(self, model: Any, data: Any) -> None:
        """Brings the scene to where the simulation is."""
        to, now = self.model, self.data
        self._put(to.geom_size, _joined(model.geom_size, model.site_size, self.order))
        self._put(to.geom_rgba, _joined(model.geom_rgba, model.site_rgba, self.order))
        self._put(to.mat_rgba, model.mat_rgba)
        self._put(now.geom_xpos, _joined(data.geom_xpos, data.site_xpos, self.order))
        self._put(now.geom_xmat, _joined(data.geom_xmat, data.site_xmat, self.order))
        self._put(now.cam_xpos, data.cam_xpos)
        self._put(now.cam_xmat, data.cam_xmat)
        self._put(now.light_xpos, data.light_xpos)
        self._put(now.light_xdir, data.light_xdir)

    def _put(self, array: Any, values: np.ndarray) -> None:
        """Writes the values of the only world into an array of the renderer."""
        if values.size:
            target = array.numpy()  # on the CPU, the array itself
            target[...] = np.reshape(values, target.shape)


def with_sites(model: Any) -> Any:
    """The model with a shape for each site that OpenGL would draw, for rays hit shapes.

    Some tasks show their goal as a site.

    Args:
        model: the one that was loaded last, for MuJoCo keeps the text of that one.
    """
    mujoco = require("mujoco", INSTALL)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "scene.xml")
        mujoco.mj_saveLastXML(path, model)
        spec = mujoco.MjSpec.from_file(path)
    for body in spec.bodies:
        for site in body.sites:
            if site.group in GROUPS:
                body.add_geom(
                    type=site.type,
                    size=site.size,
                    pos=site.pos,
                    quat=site.quat,
                    rgba=site.rgba,
                    material=site.material,
                    contype=0,
                    conaffinity=0,
                    mass=0,
                )
    return spec.compile()


def drawing_order(model: Any, scene: Any) -> np.ndarray:
    """For each shape of the scene, its row in the model's shapes followed by its sites.

    In each body, the shapes of the model come first, and then its visible sites.

    Returns:
        Integers `[shapes of the scene]`.
    """
    visible = np.isin(model.site_group, GROUPS)
    order = []
    for body in range(model.nbody):
        start = model.body_geomadr[body]
        order += range(start, start + model.body_geomnum[body])
        sites = np.nonzero(visible & (model.site_bodyid == body))[0]
        order += [model.ngeom + site for site in sites]
    assert len(order) == scene.ngeom, (len(order), scene.ngeom)
    return np.asarray(order)


def _joined(shapes: np.ndarray, sites: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Rows of shapes and sites in drawing order."""
    return np.concatenate([shapes, sites])[order]
