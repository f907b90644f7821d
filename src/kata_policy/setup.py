# SPDX-License-Identifier: Apache-2.0
"""Install kata_policy, by colcon or by pip."""

from setuptools import find_packages, setup

setup(
    name="kata_policy",
    version="0.1.0",
    description="What a robot needs to run a policy: observation, contract, ONNX runtime, execution, monitor",
    license="Apache-2.0",
    packages=find_packages(include=["kata_policy", "kata_policy.*"]),
    package_data={"kata_policy": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata_policy"]),
        ("share/kata_policy", ["package.xml"]),
    ],
    install_requires=["numpy", "onnxruntime", "opencv-python-headless", "kata_model"],
    entry_points={"kata.commands": ["policy = kata_policy.commands.policy"]},
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
