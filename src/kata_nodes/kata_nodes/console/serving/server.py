# SPDX-License-Identifier: Apache-2.0
"""The console's server: handshakes, pairing, the life of each connection, the beat of everything periodic."""

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from time import monotonic_ns
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from kata_nodes.console.broadcast import Broadcast
from kata_nodes.console.frames_intake import FramesIntake
from kata_nodes.console.policy_requests import notice_end
from kata_nodes.console.request_handlers import RequestHandlers
from kata_nodes.console.serving.admission import Admission
from kata_nodes.console.serving.client import Client
from kata_nodes.console.serving.site import HEADERS, Site
from kata_nodes.console.session import Session
from kata_teleop.console import MAX_MESSAGE

__all__ = ["ConsoleServer"]

_HANDSHAKE = 5.0  # longest TLS or WebSocket handshake [s]
_MOST_SOCKETS = 64
_TICK = 0.01
_EVERY = {"robot": 1 / 30, "beat": 0.05, "verdict": 0.1, "press": 0.1, "engage": 0.2, "ping": 0.2}
_EVERY |= {"episode": 0.5, "link": 0.5, "policy": 0.5}

_quiet = logging.getLogger("kata_nodes.console.sockets")
_quiet.addFilter(lambda record: record.msg == "connection handler failed")  # a port scan is no news, a fault of ours is


class _Connection(ServerConnection):
    """A connection that is refused at once where too many stand."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new connection, or drop it."""
        if len(self.server.connections) >= _MOST_SOCKETS and isinstance(transport, asyncio.Transport):
            transport.abort()
        super().connection_made(transport)


class ConsoleServer:
    """Runs in a thread of its own; all but `start` and `close` happens there."""

    def __init__(self, session: Session, site: Site, admission: Admission, tls: ssl.SSLContext | None) -> None:
        """Take what is served, who is let in, and TLS where it is not loopback."""
        self._session, self._site, self._admission, self._tls = session, site, admission, tls
        self._broadcast = Broadcast(session)
        self._handlers = RequestHandlers(session, admission.link)
        self._intake = FramesIntake(session)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="console", daemon=True)
        self._running: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None
        """What ended the server though nobody closed it."""
        self._due: dict[str, float] = dict.fromkeys(_EVERY, 0.0)
        self._phase = session.phase

    def start(self, listening: socket.socket) -> None:
        """Begin to serve a socket that is bound."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(listening), self._loop).result(10.0)

    def close(self) -> None:
        """End all connections, and the thread."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        self._session.policies.unload()

    async def _listen(self, listening: socket.socket) -> None:
        timeout: dict[str, Any] = {"ssl_handshake_timeout": _HANDSHAKE} if self._tls else {}
        self._server = await serve(
            self._attend,
            sock=listening,
            ssl=self._tls,
            process_request=self._on_request,
            max_size=MAX_MESSAGE,
            max_queue=64,
            compression=None,
            open_timeout=_HANDSHAKE,
            close_timeout=2.0,
            ping_interval=None,
            server_header=None,
            logger=_quiet,
            create_connection=_Connection,
            **timeout,
        )
        self._running = asyncio.create_task(self._tick())
        self._running.add_done_callback(self._note_end)

    def _note_end(self, running: asyncio.Task[None]) -> None:
        """Keep what ended the beat; heartbeats end with it, so that safety stops, and the node must not seem alive."""
        if not running.cancelled():
            self.failure = running.exception()

    async def _end(self) -> None:
        if self._running is not None:
            self._running.cancel()
        self._server.close()
        await self._server.wait_closed()
        await self._session.end()

    async def _on_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a request for a file; let a WebSocket through if its origin may."""
        method = getattr(request, "method", "GET")
        if method != "GET":
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, "only GET")
        fault = self._admission.refuses(request.path, request.headers.get("Host", ""), request.headers.get("Origin", ""))
        if fault:
            self._session.graph.log(0, _peer(connection), "refused_request", {"path": request.path[:100]}, fault)
            return _plain(HTTPStatus.FORBIDDEN, fault)
        if request.path.split("?")[0] == "/ws":
            return None
        page = await asyncio.to_thread(self._site.find, request.path, request.headers.get("If-None-Match", ""))
        return Response(page.status, HTTPStatus(page.status).phrase, Headers(page.headers), page.body)

    async def _attend(self, connection: ServerConnection) -> None:
        """Live through one connection."""
        client = await self._admission.admit(connection, self._session)
        if client is None:
            return
        sender, ending = self._session.begin(self._send(client, connection)), False
        self._session.join(client)
        self._broadcast.welcome()
        try:
            async for message in connection:
                self._take(client, message)
                if client.overflown and not ending:
                    ending = True  # what came before the end is still read: a stop may be among it
                    self._session.begin(connection.close(1008, "too much"))
                await asyncio.sleep(0.0)  # whoever sends much takes turns with the others
        except ConnectionClosed:
            pass
        finally:
            sender.cancel()
            self._session.part(client, monotonic_ns())
            self._session.graph.log(client.number, client.name, "gone", {"code": connection.close_code})

    async def _send(self, client: Client, connection: ServerConnection) -> None:
        """Send until the connection ends; whoever cannot be told anything any more is let go, lest a page show old news."""
        try:
            await client.send_all()
        finally:
            self._session.begin(connection.close(1011, "the server failed"))  # does nothing where it has ended otherwise

    def _take(self, client: Client, message: str | bytes) -> None:
        """Take a message in, which never waits: a stop, a ping's answer behind it must not either."""
        client.heard = now = monotonic_ns()
        if isinstance(message, str):
            self._handlers.take(client, message)
        elif fault := self._intake.take(client, message, now):
            self._handlers.malformed(client, fault, now)

    async def _tick(self) -> None:
        """Do what is periodic; a beat that is late is not made up for."""
        work: dict[str, Callable[[], None]] = {
            "robot": self._broadcast.robot,
            "beat": lambda: self._session.beat(monotonic_ns()),
            "verdict": self._broadcast.verdict,
            "press": self._press,
            "engage": self._engage,
            "ping": self._ping,
            "episode": self._broadcast.episode,
            "link": self._broadcast.link,
            "policy": lambda: notice_end(self._session),
        }
        while True:
            now = monotonic_ns()
            self._session.look(now)
            self._broadcast.camera(now)
            if self._session.phase is not self._phase:  # a hand that engages or is lost hears of it at once
                self._phase, self._due["engage"] = self._session.phase, 0.0
            for name, do in work.items():
                if now * 1e-9 >= self._due[name]:
                    self._due[name] = now * 1e-9 + _EVERY[name]
                    do()
            await asyncio.sleep(_TICK)

    def _press(self) -> None:
        if self._session.pressed:
            self._session.graph.press(True)

    def _engage(self) -> None:
        self._broadcast.engage()
        self._broadcast.publish_engage()

    def _ping(self) -> None:
        for client in self._session.clients.values():
            client.ping()


def _peer(connection: ServerConnection) -> str:
    with suppress(TypeError, IndexError):
        return str(connection.remote_address[0])
    return "unknown"


def _plain(status: HTTPStatus, text: str) -> Response:
    body = f"{text}\n".encode()
    headers = Headers({**HEADERS, "Content-Type": "text/plain", "Content-Length": str(len(body))})
    return Response(status, status.phrase, headers, body)
