# SPDX-License-Identifier: Apache-2.0
"""Parameters of the console."""

from dataclasses import dataclass

from kata_model.config.params import param

__all__ = ["ConsoleConfig"]


@dataclass(frozen=True)
class ConsoleConfig:
    """Where the console listens, what it serves, whom it lets in; beside `EngageConfig` and `GamepadConfig`."""

    robot: str = param("g1", doc="Name or path of the robot's folder of data.")
    source: str = param("vr", doc="Who moves the robot: vr is the page itself; else the node that offers SOURCE/engage.")
    host: str = param("127.0.0.1", doc="Address to listen on; beyond loopback (0.0.0.0: everywhere) by TLS alone.")
    port: int = param(0, low=0, high=65535, doc="Port; 0 is 8080, or 8443 with TLS.")
    names: tuple[str, ...] = param(("",), doc="Further host names under which the console is reached.")
    origins: tuple[str, ...] = param(("",), doc="Further origins of pages that may connect, e.g. of a development server.")
    pages: str = param("web/dist", doc="Folder of the built pages.")
    policies: str = param("runs", doc="Folder in which policies (.onnx) are looked for.")
    state: str = param("", doc="Folder of the certificate; empty for ~/.local/share/kata/console.")
    code_life: float = param(600.0, unit="s", low=10.0, high=86400.0, doc="How long a pairing code is good.")
    token_life: float = param(43200.0, unit="s", low=60.0, high=604800.0, doc="How long a client need not pair again.")
    seat_grace: float = param(3.0, unit="s", low=0.5, high=60.0, doc="How long the seat is kept for an operator who vanished.")
    show_qr: bool = param(True, doc="Whether the pairing link is printed as a QR code too.")
