# SPDX-License-Identifier: Apache-2.0
"""Install kata_learning, by colcon or by pip."""

from setuptools import find_packages, setup

setup(
    name="kata_learning",
    version="0.1.0",
    description="Policies, training, augmentation, export, evaluation",
    license="Apache-2.0",
    packages=find_packages(include=["kata_learning", "kata_learning.*"]),
    package_data={"kata_learning": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata_learning"]),
        ("share/kata_learning", ["package.xml"]),
    ],
    install_requires=[
        "matplotlib",
        "numpy",
        "onnx",
        "onnx-ir",
        "onnxruntime",
        "onnxscript",
        "tensorboard",
        "torch",
        "tqdm",
        "tyro",
        "kata_model",
        "kata_safety",
        "kata_policy",
        "kata_data",
        "kata_teleop",
        "kata_sim",
    ],
    entry_points={
        "kata.commands": [
            "evaluate = kata_learning.commands.evaluate",
            "export = kata_learning.commands.export",
            "train = kata_learning.commands.train",
        ]
    },
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
