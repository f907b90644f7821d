# SPDX-License-Identifier: Apache-2.0
"""The operator's pages by themselves: types and unit tests in TypeScript, pinned packages."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[1] / "web"


@pytest.mark.slow
def test_pages_are_typed_and_tested():
    if shutil.which("npm") is None or not (WEB / "node_modules/.bin/vitest").exists():
        pytest.skip("no npm, or web/node_modules is missing")
    for command in (["npm", "run", "--silent", "check"], ["npm", "run", "--silent", "test"]):
        done = subprocess.run(command, cwd=WEB, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_versions_are_pinned():
    package = json.loads((WEB / "package.json").read_text())
    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert all(version[0].isdigit() for version in versions)


def test_pages_load_nothing_from_elsewhere():
    for page in [*WEB.glob("*.html"), *WEB.glob("src/**/*.ts"), *WEB.glob("src/**/*.css")]:
        text = page.read_text().replace("http://www.w3.org/", "")
        assert "https://" not in text.replace("https address", ""), page
        assert "http://" not in text, page
