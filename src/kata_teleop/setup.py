# SPDX-License-Identifier: Apache-2.0
"""Install kata_teleop, by colcon or by pip."""

from setuptools import find_packages, setup

setup(
    name="kata_teleop",
    version="0.1.0",
    description="How a person drives: engage contract, gamepad, leader arm, scripted persons, the console's protocol",
    license="Apache-2.0",
    packages=find_packages(include=["kata_teleop", "kata_teleop.*"]),
    package_data={"kata_teleop": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata_teleop"]),
        ("share/kata_teleop", ["package.xml"]),
    ],
    install_requires=["numpy", "pin", "kata_model"],
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
