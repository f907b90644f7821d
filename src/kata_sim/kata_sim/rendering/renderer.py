# SPDX-License-Identifier: Apache-2.0
"""Pictures of a simulated scene, rendered off screen with EGL (by the CPU where there is no GPU)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray

from kata_model.errors import KataError

__all__ = ["Image", "Marker", "RenderError", "Renderer", "View"]

Image = NDArray[np.uint8]

_SPARE_GEOMS = 400
"""Room for markers beside the model's own geoms."""


class RenderError(KataError):
    """Pictures cannot be made."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A sphere, or a line where ``end`` is given.

    Attributes:
        position: Centre or start in the world [m].
        end: End of the line in the world [m].
        radius: Of the sphere or the line [m].
        rgba: Colour, each 0 to 1.
    """

    position: ArrayLike
    end: ArrayLike | None = None
    radius: float = 0.015
    rgba: tuple[float, float, float, float] = (0.16, 0.45, 0.85, 1.0)


@dataclass(frozen=True, slots=True)
class View:
    """A free view of a point.

    Attributes:
        look_at: Point in the world [m].
        distance: From that point [m].
        azimuth: Direction of sight about z; 0 looks along x, pi looks at a robot's face [rad].
        elevation: Direction of sight against the horizon; negative looks down [rad].
    """

    look_at: tuple[float, float, float]
    distance: float = 2.4
    azimuth: float = 2.5
    elevation: float = -0.2


class Renderer:
    """Renders one model at one size; use it in the thread that made it, and close it.

    Args:
        model: ``mujoco.MjModel``.
        width: Of the pictures [px].
        height: Of the pictures [px].

    Raises:
        RenderError: EGL is missing or refuses.
    """

    def __init__(self, model: Any, width: int, height: int) -> None:
        """Make the OpenGL context."""
        self._model, self._size = model, (width, height)
        self._gl = _gl_context(width, height)
        self._gl.make_current()
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        mujoco.mjr_resizeOffscreen(width, height, self._context)
        self._scene = mujoco.MjvScene(model, maxgeom=model.ngeom + _SPARE_GEOMS)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = model.vis.quality.shadowsize > 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        self._option, self._camera = mujoco.MjvOption(), mujoco.MjvCamera()

    def render(self, data: Any, camera: str | View, markers: Sequence[Marker] = ()) -> Image:
        """Return a picture.

        Args:
            data: ``mujoco.MjData`` whose kinematics are up to date.
            camera: Name of a camera of the model, or a free view.
            markers: Spheres and lines to add.

        Returns:
            RGB, shape (height, width, 3), uint8.

        Raises:
            RenderError: No camera has that name, or there are too many markers.
        """
        self._look_through(camera)
        mujoco.mjv_updateScene(self._model, data, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene)
        for marker in markers:
            self._add(marker)
        width, height = self._size
        image = np.empty((height, width, 3), np.uint8)
        viewport = mujoco.MjrRect(0, 0, width, height)
        self._gl.make_current()
        mujoco.mjr_render(viewport, self._scene, self._context)
        mujoco.mjr_readPixels(image, None, viewport, self._context)
        return np.ascontiguousarray(image[::-1])  # OpenGL's first row is the lowest

    def close(self) -> None:
        """Free the context; without it EGL complains at exit."""
        if self._gl is not None:
            self._gl.make_current()
            self._context.free()
            self._gl.free()
            self._gl = None

    def _look_through(self, camera: str | View) -> None:
        if isinstance(camera, View):
            self._camera.type, self._camera.lookat = mujoco.mjtCamera.mjCAMERA_FREE, camera.look_at
            self._camera.distance = camera.distance
            self._camera.azimuth, self._camera.elevation = np.degrees(camera.azimuth), np.degrees(camera.elevation)
            return
        number = mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_CAMERA, camera)
        if number < 0:
            known = [self._model.camera(i).name for i in range(self._model.ncam)]
            raise RenderError(f"no camera {camera!r}", fix=f"known: {', '.join(known)}")
        self._camera.type, self._camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, number

    def _add(self, marker: Marker) -> None:
        if self._scene.ngeom >= self._scene.maxgeom:
            raise RenderError("too many markers", fix=f"at most {_SPARE_GEOMS}")
        geom = self._scene.geoms[self._scene.ngeom]
        start, rgba = np.asarray(marker.position, dtype=float), np.asarray(marker.rgba, dtype=np.float32)
        kind = mujoco.mjtGeom.mjGEOM_SPHERE if marker.end is None else mujoco.mjtGeom.mjGEOM_CAPSULE
        mujoco.mjv_initGeom(geom, kind, np.full(3, marker.radius), start, np.eye(3).ravel(), rgba)
        if marker.end is not None:
            mujoco.mjv_connector(geom, kind, marker.radius, start, np.asarray(marker.end, dtype=float))
        self._scene.ngeom += 1


def _gl_context(width: int, height: int) -> Any:
    """Make an EGL context whatever MUJOCO_GL says: a robot's computer has no screen."""
    try:
        from mujoco.egl import GLContext  # loads libEGL, which physics alone does not need

        return GLContext(width, height)
    except (ImportError, AttributeError, RuntimeError) as error:
        raise RenderError(
            f"cannot render: {str(error).splitlines()[0]}",
            where="EGL",
            fix="apt-get install libegl1 libegl-mesa0 libgl1 libgl1-mesa-dri",
        ) from error
