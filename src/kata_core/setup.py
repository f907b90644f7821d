# SPDX-License-Identifier: Apache-2.0
"""Install kata_core, by colcon or by pip."""

from setuptools import find_packages, setup

setup(
    name="kata_core",
    version="0.1.0",
    description="Kinematics, retargeting, safety, episodes, observations and the policy contract",
    license="Apache-2.0",
    packages=find_packages(include=["kata_core", "kata_core.*"]),
    package_data={"kata_core": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata_core"]),
        ("share/kata_core", ["package.xml"]),
    ],
    install_requires=["numpy", "pin", "pyyaml", "onnxruntime", "opencv-python-headless", "tqdm", "mcap"],
    entry_points={
        "console_scripts": ["kata = kata_core.cli:main"],
        "kata.commands": ["retarget = kata_core.commands.retarget", "robot = kata_core.commands.robot"],
    },
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
