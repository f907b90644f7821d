# SPDX-License-Identifier: Apache-2.0
"""The files that the server gives: the pages, the robot's URDF, and the meshes that it names; nothing else."""

import json
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kata_model import RobotModel
from kata_model.robot.urdf import urdf_text

__all__ = ["HEADERS", "Page", "Site"]

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_MESH = re.compile(r"package://([\w.-]+)/([^\"']+)")
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".stl": "model/stl"}
_UNBUILT = b"""<!doctype html><meta charset="utf-8"><title>Kata console</title>
<p>The page is not built. Run <code>make web</code> (needs npm), then load this page again.</p>"""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to GET: status, headers, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Site:
    """Finds what a path names. What is served of the robot is listed beforehand, so no path can lead elsewhere."""

    def __init__(self, dist: Path, robot: RobotModel) -> None:
        """Take the folder of built pages, and a robot."""
        self._dist = dist.resolve()
        description = robot.description
        text = urdf_text(description)
        self._texts = {"/robot/robot.urdf": ("application/xml", text.encode())}
        self._files: dict[str, Path] = {}
        packages = {}
        for package, rest in set(_MESH.findall(text)):
            packages[package] = f"/robot/packages/{package}"
            found = next((d / package / rest for d in description.package_dirs if (d / package / rest).is_file()), None)
            if found is not None:
                self._files[f"/robot/packages/{package}/{rest}"] = found
        palms = {
            hand: {"frame": spec.frame, **_frame(robot, spec.frame), "joints": list(spec.joints)}
            for hand, spec in description.hands.items()
        }
        about = {
            "name": description.name,
            "urdf": "/robot/robot.urdf",
            "packages": packages,
            "joints": list(robot.layout.names),
            "rest": robot.rest.tolist(),
            "palms": palms,
            "base_height": description.base_height,
        }
        self._texts["/robot.json"] = ("application/json", json.dumps(about).encode())

    def find(self, target: str, known: str = "") -> Page:
        """Return the answer to a request.

        Args:
            target: Path of the request, with query if there is one.
            known: ETag that the browser has, or empty.
        """
        path = unquote(urlsplit(target).path)
        if path in self._texts:
            kind, body = self._texts[path]
            return _page(200, kind, body)
        file = self._files.get(path) or self._built(path)
        if file is None:
            if path in ("/", "/vr.html"):
                return _page(200, "text/html; charset=utf-8", _UNBUILT)
            return _page(404, "text/plain", b"no such page\n")
        stat = file.stat()
        tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
        fixed = path.startswith("/assets/")  # built files bear a hash in their names
        headers = {"ETag": tag, "Cache-Control": "max-age=31536000, immutable" if fixed else "no-cache"}
        if known == tag:
            return Page(304, {**HEADERS, **headers}, b"")
        return _page(200, _type(file), file.read_bytes(), headers)

    def _built(self, path: str) -> Path | None:
        parts = [part for part in path.split("/") if part] or ["index.html"]
        if any(part.startswith(".") or "\\" in part or "\0" in part for part in parts):
            return None
        file = self._dist.joinpath(*parts).resolve()
        return file if file.is_relative_to(self._dist) and file.is_file() else None


def _frame(robot: RobotModel, name: str) -> dict[str, object]:
    spec = robot.description.frames.get(name)
    return {"link": spec.link, "xyz": spec.xyz, "rpy": spec.rpy} if spec else {"link": name, "xyz": (0, 0, 0), "rpy": (0, 0, 0)}


def _type(file: Path) -> str:
    return _TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def _page(status: int, kind: str, body: bytes, extra: Mapping[str, str] | None = None) -> Page:
    size = {"Content-Type": kind, "Content-Length": str(len(body))}
    return Page(status, {**HEADERS, **size, **(extra or {})}, body)
