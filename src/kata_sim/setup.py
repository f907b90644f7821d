# SPDX-License-Identifier: Apache-2.0
"""Install kata_sim, by colcon or by pip."""

from setuptools import find_packages, setup

setup(
    name="kata_sim",
    version="0.1.0",
    description="MuJoCo behind a small interface: robots, scenes, tasks, scripted experts, rendering, demonstrations",
    license="Apache-2.0",
    packages=find_packages(include=["kata_sim", "kata_sim.*"]),
    package_data={"kata_sim": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata_sim"]),
        ("share/kata_sim", ["package.xml"]),
    ],
    install_requires=[
        "fast-simplification",
        "gymnasium",
        "mujoco",
        "numpy",
        "opencv-python-headless",
        "pyyaml",
        "rosbags",
        "tqdm",
        "trimesh",
        "kata_model",
        "kata_safety",
        "kata_retarget",
        "kata_data",
        "kata_teleop",
    ],
    entry_points={"kata.commands": ["demonstrate = kata_sim.commands.demonstrate"]},
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
