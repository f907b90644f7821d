# SPDX-License-Identifier: Apache-2.0
"""Scripted persons who show tasks: what they do with their hands, seen by a tracker."""

from dataclasses import fields

import numpy as np

from kata_model.errors import ConfigError
from kata_teleop.scripted.lift import LiftSkill, LiftSkillConfig
from kata_teleop.scripted.operator import Operator, PersonConfig, Poses, Skill, SkilledOperator
from kata_teleop.scripted.push import PushSkill, PushSkillConfig
from kata_teleop.scripted.reach import ReachOperator
from kata_teleop.scripted.submovements import OperatorConfig

__all__ = ["TASKS", "Operator", "PersonConfig", "Poses", "Skill", "make_operator"]

TASKS = ("reach", "lift", "push")
"""Tasks that a scripted person can show."""


def make_operator(task: str, config: PersonConfig) -> Operator:
    """Return a person who shows a task.

    Args:
        task: One of `TASKS`.
        config: How the person differs from a machine.

    Raises:
        ConfigError: Nobody can show that task.
    """
    rng = np.random.default_rng(config.seed)
    match task:
        case "reach":
            return ReachOperator(OperatorConfig(**{f.name: getattr(config, f.name) for f in fields(config)}))
        case "lift":
            return SkilledOperator(LiftSkill(LiftSkillConfig(), rng, config.spread), config, rng)
        case "push":
            return SkilledOperator(PushSkill(PushSkillConfig(), rng, config.spread), config, rng)
    raise ConfigError(f"nobody can show the task {task!r}", fix=f"there is: {', '.join(TASKS)}")
