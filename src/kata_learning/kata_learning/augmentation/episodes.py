# SPDX-License-Identifier: Apache-2.0
"""More episodes to train on: warped and mirrored ones beside those that were shown."""

import dataclasses

import numpy as np

from kata_data.dataset import Dataset
from kata_data.dataset.assemble import Steps, assemble, episodes_of
from kata_learning.augmentation.config import AugmentConfig
from kata_learning.augmentation.mirroring import mirror_of
from kata_learning.augmentation.warping import warp_episode
from kata_model.robot import RobotModel

__all__ = ["more_episodes"]


def more_episodes(dataset: Dataset, robot: RobotModel, config: AugmentConfig, seed: int) -> Dataset:
    """Return a dataset with further training episodes; those for validation stay as they are.

    The result keeps the dataset's hash: it names the data, and the config and seed what was made of them.

    Args:
        dataset: What was shown.
        robot: Whose demonstrations they are.
        config: Which variations.
        seed: Of their chance.

    Raises:
        DataError: Mirror images do not fit what the policy moves and sees.
        RobotError: The robot is not symmetric.
    """
    if not config.mirror and not (config.warp > 0.0 and config.warped > 0):
        return dataset
    shown = episodes_of(dataset)
    trained = [steps for steps in shown if steps.entry.split == "train"]
    mirror = mirror_of(dataset.manifest, robot) if config.mirror else None
    trained += [mirror.episode(steps) for steps in trained] if mirror else []
    copies = config.warped if config.warp > 0.0 else 0
    warped = [_warp(steps, config.warp, seed, i, copy) for copy in range(copies) for i, steps in enumerate(trained)]
    kept = [steps for steps in shown if steps.entry.split != "train"]
    more = assemble(dataset.manifest, [*trained, *warped, *kept], dataset.folder if dataset.manifest.cameras else None)
    return dataclasses.replace(more, manifest=dataclasses.replace(more.manifest, hash=dataset.manifest.hash))


def _warp(steps: Steps, amount: float, seed: int, number: int, copy: int) -> Steps:
    return warp_episode(steps, amount, np.random.default_rng([seed, number, copy]))
