# SPDX-License-Identifier: Apache-2.0
"""Install kata_learning, by colcon or by pip."""

from setuptools import find_packages, setup

COMMANDS = ("bag", "check", "dataset", "train", "export", "evaluate", "policy", "report", "demonstrate")

setup(
    name="kata_learning",
    version="0.1.0",
    description="Bags to dataset to training to ONNX to evaluation",
    license="Apache-2.0",
    packages=find_packages(include=["kata_learning", "kata_learning.*"]),
    package_data={"kata_learning": ["py.typed", "report/page.css"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata_learning"]),
        ("share/kata_learning", ["package.xml"]),
    ],
    install_requires=[
        *("numpy", "torch", "onnx", "onnx-ir", "onnxscript", "rosbags", "tqdm", "pyarrow", "av", "h5py"),
        *("tyro", "tensorboard"),
        *("kata_core", "kata_sim"),
    ],
    entry_points={
        "kata.commands": [f"{name} = kata_learning.commands.{name}" for name in COMMANDS],
        "kata.retarget": ["report = kata_learning.commands.retarget_report"],
    },
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
