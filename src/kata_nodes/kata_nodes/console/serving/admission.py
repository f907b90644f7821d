# SPDX-License-Identifier: Apache-2.0
"""Admission: addresses and origins that are the server's own, and the first message, which must pair."""

import asyncio
from time import monotonic_ns
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from kata_nodes.console.serving.client import Client
from kata_nodes.console.serving.message import read_message
from kata_nodes.console.session import Session
from kata_teleop.console import Paired

__all__ = ["Admission"]

_HELLO = 5.0  # longest time until the first message [s]
_MOST_CLIENTS, _MOST_WAITING = 8, 8
_PROTOCOL = 1


class Admission:
    """Lets in whoever has a code or a token, from a page that this server gave."""

    def __init__(self, hosts: list[str], port: int, secure: bool, origins: tuple[str, ...]) -> None:
        """Set up.

        Args:
            hosts: Names and addresses of the server; the first one is in its links.
            port: Where it listens.
            secure: Whether by TLS.
            origins: Further origins that may connect.
        """
        scheme = "https" if secure else "http"
        usual = port == (443 if secure else 80)
        ends = ("", f":{port}") if usual else (f":{port}",)
        self._hosts = frozenset(f"{host}{end}" for host in hosts for end in ends)
        self._origins = frozenset(f"{scheme}://{host}" for host in self._hosts) | {o for o in origins if o}
        self._base = f"{scheme}://{hosts[0]}{ends[0]}"
        self._waiting: dict[ServerConnection, None] = {}

    def link(self, code: str) -> str:
        """Return the link that opens the console and pairs with a code; the code stays out of requests and their logs."""
        return f"{self._base}/#code={code}"

    def refuses(self, path: str, host: str, origin: str) -> str:
        """Return why a request is refused, or an empty string: rebinding of names, pages of others."""
        if host.lower() not in self._hosts:
            return "this server has another name"
        if path.split("?")[0] == "/ws" and origin.lower() not in self._origins:
            return "pages of another origin may not connect"
        return ""

    async def admit(self, socket: ServerConnection, session: Session) -> Client | None:
        """Return the client that has paired; None after its socket was closed."""
        if len(self._waiting) >= _MOST_WAITING:  # who waits longest goes: whoever may come in says so at once
            longest = next(iter(self._waiting))
            del self._waiting[longest]
            session.begin(self._close(longest, session, 1013, "too many are waiting"))
        self._waiting[socket] = None
        try:
            message = _hello(await asyncio.wait_for(socket.recv(), _HELLO))
        except TimeoutError:
            await self._close(socket, session, 4001, "no hello in time")
            return None
        except ConnectionClosed:
            return None
        finally:
            self._waiting.pop(socket, None)
        return await self._pair(socket, session, message)

    async def _pair(self, socket: ServerConnection, session: Session, message: dict[str, Any]) -> Client | None:
        if message.get("protocol") != _PROTOCOL:
            await self._close(socket, session, 4004, f"this server speaks protocol {_PROTOCOL}")
            return None
        name, kind = str(message.get("name", ""))[:40], str(message.get("kind", ""))[:20]
        if not message.get("token") and session.pairing.locked(monotonic_ns()):
            await self._close(socket, session, 4003, "too many wrong codes, wait half a minute")
            return None
        known = _recognise(session, message, name)
        if known is None:
            await self._close(socket, session, 4002, "wrong code, or used up: take the newest one from the terminal")
            return None
        token, paired = known
        earlier = session.clients.get(paired.client)
        if earlier is not None:
            session.begin(earlier.socket.close(4005, "replaced by a newer connection"))  # it may be dead, and this one not wait
        elif len(session.clients) >= _MOST_CLIENTS:
            await self._close(socket, session, 1013, "too many clients")
            return None
        client = Client(socket, paired, kind, session.engage)
        session.graph.log(client.number, client.name, "pair", {"kind": kind, "again": "token" in message})
        self._welcome(client, session, token)
        return client

    @staticmethod
    def _welcome(client: Client, session: Session, token: str) -> None:
        engage = session.engage
        stop = engage.max_silence + engage.lost_time + 0.3  # the last is safety's operator_deadline
        client.tell(
            "welcome",
            protocol=_PROTOCOL,
            client=client.number,
            token=token,
            name=client.name,
            robot=session.graph.robot.description.name,
            source=session.config.source,
            mode=engage.mode,
            hands=list(session.graph.robot.description.hands),
            times={"hold_ms": 1e3 * engage.max_silence, "lost_ms": 1e3 * engage.lost_time, "stop_ms": round(1e3 * stop)},
        )

    @staticmethod
    async def _close(socket: ServerConnection, session: Session, code: int, reason: str) -> None:
        session.graph.log(
            0, str(socket.remote_address[0]) if socket.remote_address else "", "refused_pairing", {"code": code}, reason
        )
        await socket.close(code, reason)


def _hello(text: str | bytes) -> dict[str, Any]:
    message = read_message(text)
    return message.fields if message.kind == "hello" and not message.fault else {}


def _recognise(session: Session, message: dict[str, Any], name: str) -> tuple[str, Paired] | None:
    now, token, code = monotonic_ns(), message.get("token"), message.get("code")
    if isinstance(token, str) and token:
        paired = session.pairing.recognise(token, now)
        return (token, paired) if paired is not None else None
    return session.pairing.redeem(code, name, now) if isinstance(code, str) and code.isascii() else None
