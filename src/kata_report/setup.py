# SPDX-License-Identifier: Apache-2.0
"""Install kata_report, by colcon or by pip."""

from setuptools import find_packages, setup

setup(
    name="kata_report",
    version="0.1.0",
    description="Pages for people, over data and learning, and the commands that end in one",
    license="Apache-2.0",
    packages=find_packages(include=["kata_report", "kata_report.*"]),
    package_data={"kata_report": ["py.typed", "page.css", "page.html"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kata_report"]),
        ("share/kata_report", ["package.xml"]),
    ],
    install_requires=[
        "jinja2",
        "markupsafe",
        "matplotlib",
        "numpy",
        "opencv-python-headless",
        "tqdm",
        "kata_model",
        "kata_safety",
        "kata_retarget",
        "kata_data",
        "kata_sim",
        "kata_learning",
    ],
    entry_points={
        "kata.commands": [
            "bag = kata_report.commands.bag",
            "check = kata_report.commands.check",
            "dataset = kata_report.commands.dataset",
            "report = kata_report.commands.report",
        ],
        "kata.retarget": ["report = kata_report.commands.retarget_report"],
    },
    # colcon test looks for pytest here; colcon.meta names the folder of tests.
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
