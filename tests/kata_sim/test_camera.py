# SPDX-License-Identifier: Apache-2.0
"""The camera's thread: what fails in it ends who asked for pictures, what hangs in it is said and holds no physics up."""

import logging
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from kata_sim import BackgroundCamera, Simulation
from kata_sim.rendering import camera


@pytest.fixture
def shot(built: Simulation, monkeypatch: pytest.MonkeyPatch):
    """Return a starter of cameras that render by a function; physics is `built`, its time set by the test."""
    cameras = []

    def start(render, deliver=lambda stamp, image: None, **options):
        monkeypatch.setattr(camera, "Renderer", lambda *_: SimpleNamespace(render=render, close=lambda: None))
        robot = SimpleNamespace(model=built.model, data=built.data, config=built.config, time=0)
        cameras.append(BackgroundCamera(robot, "head", deliver, **options))
        cameras[-1].start()
        return cameras[-1], robot

    yield start
    for one in cameras:
        one.close()


def fail(*_):
    raise ZeroDivisionError("a picture of no size")


def done(one: BackgroundCamera) -> None:
    one._pending.exception(20.0)


@pytest.mark.parametrize("broken", ["render", "deliver"])
def test_a_picture_that_fails_is_the_next_ones_error(shot, broken):
    picture = np.zeros((2, 2, 3), np.uint8)
    one, _ = shot(fail) if broken == "render" else shot(lambda *_: picture, fail)
    one.shoot()
    done(one)
    with pytest.raises(ZeroDivisionError):
        one.shoot()


def test_a_collected_picture_that_fails_is_raised_where_it_is_collected(shot):
    one, _ = shot(fail, collected=True)
    one.shoot()
    with pytest.raises(ZeroDivisionError):
        one.collect()
    one._pending = None


def test_a_picture_that_hangs_is_said_once_and_holds_nobody_up(shot, caplog):
    gate = threading.Event()
    one, robot = shot(lambda *_: gate.wait(60.0))
    one.shoot()
    with caplog.at_level(logging.WARNING):
        for robot.time in range(0, 20_000_000_000, 100_000_000):
            one.shoot()
    gate.set()
    assert [record.message for record in caplog.records] == [
        "camera head: the picture of 0.0 s is still in the making; rendering hangs"
    ]
    done(one)
    one.shoot()
