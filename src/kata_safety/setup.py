# SPDX-License-Identifier: Apache-2.0
"""Install kata_safety, by colcon or by pip."""

from setuptools import find_packages, setup

setup(
    name="kata_safety",
    version="0.1.0",
    description="The gate between target and command: filter, stops, watchdogs, balance, replay, check",
    license="Apache-2.0",
    packages=find_packages(include=["kata_safety", "kata_safety.*"]),
    package_data={"kata_safety": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata_safety"]),
        ("share/kata_safety", ["package.xml"]),
    ],
    install_requires=["daqp", "numba", "numpy", "pin", "pyyaml", "kata_model"],
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
