# SPDX-License-Identifier: Apache-2.0
"""Install kata_nodes, by colcon or by pip."""

from setuptools import find_packages, setup

NODES = (
    *("sim", "mocap_source", "operator", "retarget", "safety", "recorder", "policy", "episode_runner", "replay"),
    *("console", "gamepad", "gamepad_device", "leader"),
)

FORMER = ("conductor",)  # names of programs that hold for one release more: kata_nodes/entry.py

setup(
    name="kata_nodes",
    version="0.1.0",
    description="Thin rclpy nodes around the other packages, and the commands that start them",
    license="Apache-2.0",
    packages=find_packages(include=["kata_nodes", "kata_nodes.*"]),
    package_data={"kata_nodes": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata_nodes"]),
        ("share/kata_nodes", ["package.xml"]),
    ],
    install_requires=[
        "numpy",
        "pyyaml",
        "mcap",
        "opencv-python-headless",
        "websockets",
        "cryptography",
        "segno",
        "kata_model",
        "kata_safety",
        "kata_retarget",
        "kata_policy",
        "kata_data",
        "kata_teleop",
        "kata_sim",
    ],
    entry_points={
        "console_scripts": [f"{node} = kata_nodes.entry:main" for node in (*NODES, *FORMER)],
        "kata.commands": [
            "doctor = kata_nodes.commands.doctor",
            "launch = kata_nodes.commands.launch",
            "record = kata_nodes.commands.record",
            "security = kata_nodes.commands.security",
            "stop = kata_nodes.commands.stop",
        ],
        "kata.retarget": ["play = kata_nodes.commands.retarget_play"],
    },
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
