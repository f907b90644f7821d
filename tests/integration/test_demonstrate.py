# SPDX-License-Identifier: Apache-2.0
"""Bags from the graph and bags made in process are alike: topics, types, rates, and what a dataset makes of them."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
import yaml

from kata_data.bags.bag_info import find_bags
from kata_data.building.build import BuildOptions, DatasetConfig, build_dataset
from kata_model import load_robot
from kata_sim.demonstrations import EpisodeConfig, SessionConfig, demonstrate

pytestmark = [pytest.mark.ros, pytest.mark.slow]

EPISODES = 2
DRAWN = 0.04
"""How far the means of so few scenes lie apart, since each draws its own places [m, rad]."""


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Return folders of pushes, recorded from the graph and made in process."""
    graph, process = tmp_path_factory.mktemp("graph"), tmp_path_factory.mktemp("process") / "bags"
    session = [f"episodes:={EPISODES}", f"out:={graph}", "seed:=7", "task:=push", "camera_rate:=2.0"]
    env = {**os.environ, "ROS_DOMAIN_ID": str(random.SystemRandom().randint(1, 100))}
    command = [sys.executable, "-m", "kata", "launch", "record", *session]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    demonstrate(load_robot("g1"), "push", process, SessionConfig(episodes=EPISODES, seed=7), EpisodeConfig(camera_rate=2.0))
    return graph, process


def about(folder):
    """Return what the bags of a folder say of themselves."""
    texts = [(bag / "metadata.yaml").read_text() for bag in find_bags([folder])]
    return [yaml.safe_load(text)["rosbag2_bagfile_information"] for text in texts]


def test_topics_types_and_hashes_are_equal(both):
    kinds = []
    for folder in both:
        for information in about(folder):
            topics = [entry["topic_metadata"] for entry in information["topics_with_message_count"]]
            kinds.append({(topic["name"], topic["type"], topic["type_description_hash"]) for topic in topics})
            heard = {e["topic_metadata"]["name"] for e in information["topics_with_message_count"] if e["message_count"]}
            kinds[-1] |= {(name, "heard", "") for name in heard - {"/engage/state"}}  # in process nobody engages a node
    assert all(found == kinds[0] for found in kinds)


def test_datasets_have_the_same_terms_and_like_numbers(both):
    robot = load_robot("g1")
    # Joints are named, since noise on joints at rest may count as motion.
    joints = tuple(robot.description.groups["right_arm"])
    graph, process = (build_dataset(find_bags([f]), robot, DatasetConfig(), BuildOptions(joints=joints)) for f in both)
    assert graph.manifest.task == process.manifest.task == "push"
    assert dict(graph.manifest.terms) == dict(process.manifest.terms)
    for term, values in graph.observation.items():
        one, other = np.asarray(values), np.asarray(process.observation[term])
        spread = np.maximum(other.std(axis=0), 0.02)
        assert (np.abs(one.mean(axis=0) - other.mean(axis=0)) < 0.6 * spread + DRAWN).all(), term
        assert (np.abs(one.std(axis=0) - other.std(axis=0)) < 0.5 * spread + DRAWN).all(), term
