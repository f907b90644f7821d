# SPDX-License-Identifier: Apache-2.0
"""Install kata, by colcon or by pip."""

from setuptools import find_packages, setup

setup(
    name="kata",
    version="0.1.0",
    description="The command kata: finds the commands of all installed packages and runs one",
    license="Apache-2.0",
    packages=find_packages(include=["kata", "kata.*"]),
    package_data={"kata": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata"]),
        ("share/kata", ["package.xml"]),
    ],
    install_requires=["kata_model"],
    entry_points={"console_scripts": ["kata = kata.cli:main"]},
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
