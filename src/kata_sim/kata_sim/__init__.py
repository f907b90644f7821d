# SPDX-License-Identifier: Apache-2.0
"""Simulated robots in MuJoCo: physics, scenes, tasks and pictures. No ROS, no torch."""

from kata_sim.config import SimConfig
from kata_sim.expert import ReachExpert
from kata_sim.pacing import Every, Pacer
from kata_sim.randomization import Randomization
from kata_sim.rendering.camera import BackgroundCamera, encode_jpeg
from kata_sim.rendering.poses import PoseRenderer
from kata_sim.rendering.renderer import Image, Marker, Renderer, RenderError, View
from kata_sim.rollout import Controller, Rollout, run_rollout
from kata_sim.simulation import ImuSample, Simulation, SimulationError
from kata_sim.task_expert import make_expert
from kata_sim.tasks import TASKS, GoalBox, Task, TaskState, make_task, tasks_of
from kata_sim.walking import Stride, WalkConfig, WalkScene
from kata_sim.world.model import HEAD_CAMERA
from kata_sim.world.robot_data import SimData, load_sim_data
from kata_sim.world.room import SCENE_CAMERA
from kata_sim.world.self_collision import SelfCollision

__all__ = [
    "HEAD_CAMERA",
    "SCENE_CAMERA",
    "TASKS",
    "BackgroundCamera",
    "Controller",
    "Every",
    "GoalBox",
    "Image",
    "ImuSample",
    "Marker",
    "Pacer",
    "PoseRenderer",
    "Randomization",
    "ReachExpert",
    "RenderError",
    "Renderer",
    "Rollout",
    "SelfCollision",
    "SimConfig",
    "SimData",
    "Simulation",
    "SimulationError",
    "Stride",
    "Task",
    "TaskState",
    "View",
    "WalkConfig",
    "WalkScene",
    "encode_jpeg",
    "load_sim_data",
    "make_expert",
    "make_task",
    "run_rollout",
    "tasks_of",
]
