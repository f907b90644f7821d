# SPDX-License-Identifier: Apache-2.0
"""A camera that takes its pictures in a thread of its own, so that physics never waits for them."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import mujoco

from kata_sim.rendering.renderer import Image, Renderer
from kata_sim.simulation import Simulation

__all__ = ["BackgroundCamera", "encode_jpeg"]

_HANGS = 5_000_000_000
"""Simulated time after which a picture in the making is said to hang [ns]."""

_log = logging.getLogger(__name__)


class BackgroundCamera:
    """Copies the simulation's state at once and renders the copy in the background.

    MuJoCo releases Python's lock while it renders. OpenGL contexts belong to one thread, hence one worker.

    Args:
        simulation: What is looked at.
        camera: Name of the camera.
        deliver: Gets the time of each picture [ns] and the picture; called in the background thread.
        collected: Whether pictures are delivered by `collect` instead, in the thread that calls it.
    """

    def __init__(
        self, simulation: Simulation, camera: str, deliver: Callable[[int, Image], None], *, collected: bool = False
    ) -> None:
        """Take note; `start` makes the renderer."""
        self._simulation, self._camera, self._deliver, self._collected = simulation, camera, deliver, collected
        self._copy = mujoco.MjData(simulation.model)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="camera")
        self._renderer: Renderer | None = None
        self._pending: Future[tuple[int, Image]] | None = None
        self._shot, self._said = 0, False

    def start(self) -> None:
        """Make the renderer.

        Raises:
            RenderError: EGL is missing or refuses.
        """
        config = self._simulation.config
        self._renderer = self._worker.submit(Renderer, self._simulation.model, config.image_width, config.image_height).result()

    def shoot(self) -> None:
        """Take a picture of this moment, unless the last one is still being made.

        Raises:
            Exception: The last picture, or its delivery, failed with this.
        """
        if self._renderer is None:
            return
        if self._collected:
            self.collect()
        elif self._pending is not None:
            if not self._pending.done():
                self._wonder()
                return
            self._pending.result()
        mujoco.mj_copyData(self._copy, self._simulation.model, self._simulation.data)
        self._shot, self._said = self._simulation.time, False
        self._pending = self._worker.submit(self._render, self._renderer, self._shot)

    def _wonder(self) -> None:
        """Say once that a picture takes too long; physics goes on, and whoever needs pictures misses them."""
        if not self._said and self._simulation.time - self._shot > _HANGS:
            self._said = True
            _log.warning(
                "camera %s: the picture of %.1f s is still in the making; rendering hangs", self._camera, 1e-9 * self._shot
            )

    def collect(self) -> None:
        """Wait for the picture in the making, if there is one, and deliver it.

        Raises:
            RenderError: It failed.
        """
        if self._pending is not None:
            picture, self._pending = self._pending.result(), None
            self._deliver(*picture)

    def close(self) -> None:
        """Wait for the picture in the making and free the renderer."""
        if self._renderer is not None:
            self._worker.submit(self._renderer.close).result()
            self._renderer = None
        self._worker.shutdown()

    def _render(self, renderer: Renderer, stamp: int) -> tuple[int, Image]:
        image = renderer.render(self._copy, self._camera)
        if not self._collected:
            self._deliver(stamp, image)
        return stamp, image


def encode_jpeg(image: Image, quality: int = 90) -> bytes:
    """Return an RGB picture, shape (height, width, 3), as JPEG; quality is 1 to 100."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
