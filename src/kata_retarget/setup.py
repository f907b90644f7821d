# SPDX-License-Identifier: Apache-2.0
"""Install kata_retarget, by colcon or by pip."""

from setuptools import find_packages, setup

setup(
    name="kata_retarget",
    version="0.1.0",
    description="From human motion to robot motion: motion capture, body, hands, adaptation, drafts of robots",
    license="Apache-2.0",
    packages=find_packages(include=["kata_retarget", "kata_retarget.*"]),
    package_data={"kata_retarget": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata_retarget"]),
        ("share/kata_retarget", ["package.xml"]),
    ],
    install_requires=["daqp", "numpy", "pin", "tqdm", "kata_model", "kata_safety"],
    entry_points={"kata.commands": ["retarget = kata_retarget.commands.retarget", "robot = kata_retarget.commands.robot"]},
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
