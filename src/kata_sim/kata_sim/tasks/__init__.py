# SPDX-License-Identifier: Apache-2.0
"""Tasks of simulated robots: scenes, criteria, and the registry of them."""

from kata_sim.tasks.registry import TASKS, make_task, tasks_of
from kata_sim.tasks.specs import GoalBox, TaskSpecs
from kata_sim.tasks.task import Latch, Task, TaskState, World

__all__ = ["TASKS", "GoalBox", "Latch", "Task", "TaskSpecs", "TaskState", "World", "make_task", "tasks_of"]
