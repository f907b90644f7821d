# SPDX-License-Identifier: Apache-2.0
"""Install kata_model, by colcon or by pip."""

from setuptools import find_packages, setup

setup(
    name="kata_model",
    version="0.1.0",
    description="What a robot is: joints, frames, description, kinematics, collision shapes; values and errors that all share",
    license="Apache-2.0",
    packages=find_packages(include=["kata_model", "kata_model.*"]),
    # The link config/robots, so that a wheel of its own brings the robots along.
    package_data={"kata_model": ["py.typed", "config/robots/*/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata_model"]),
        ("share/kata_model", ["package.xml"]),
    ],
    install_requires=["example-robot-data", "numba", "numpy", "pin", "pyyaml", "scipy"],
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
