# SPDX-License-Identifier: Apache-2.0
"""Install kata_data, by colcon or by pip."""

from setuptools import find_packages, setup

setup(
    name="kata_data",
    version="0.1.0",
    description="Bags, recording, alignment, grading, datasets, interchange",
    license="Apache-2.0",
    packages=find_packages(include=["kata_data", "kata_data.*"]),
    package_data={"kata_data": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata_data"]),
        ("share/kata_data", ["package.xml"]),
    ],
    install_requires=[
        "av",
        "backports.zstd",
        "h5py",
        "mcap",
        "numpy",
        "opencv-python-headless",
        "pyarrow",
        "pyyaml",
        "rosbags",
        "kata_model",
        "kata_safety",
        "kata_policy",
    ],
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
