# SPDX-License-Identifier: Apache-2.0
"""Simulated robots in MuJoCo: physics, scenes, tasks and pictures. No ROS, no torch."""

from kata_sim.config import SimConfig
from kata_sim.model import HEAD_CAMERA
from kata_sim.renderer import Image, Marker, Renderer, RenderError
from kata_sim.room import SCENE_CAMERA
from kata_sim.simulation import ImuSample, Simulation
from kata_sim.task import ReachTask, TaskState

__all__ = [
    "HEAD_CAMERA",
    "SCENE_CAMERA",
    "Image",
    "ImuSample",
    "Marker",
    "ReachTask",
    "RenderError",
    "Renderer",
    "SimConfig",
    "Simulation",
    "TaskState",
]
