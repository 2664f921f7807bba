"""The HTTP server: keep-alive, one thread per connection, loopback by default."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from .service import Reply, sleep

_MAX_READ = 8 * 1024 * 1024


class Application(Protocol):
    def __call__(self, method: str, target: str, headers: Any, raw: bytes, client: str) -> Reply: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], application: Application) -> None:
        self.application = application
        self.stopped = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, Handler)

    def serve(self) -> None:
        """Serves until `stop`, which wakes it at once (`serve_forever` would look only now and then)."""
        while not self.stopped.is_set():
            self.handle_request()

    def stop(self) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):  # it has ended already
            host, port = self.server_address[:2]
            socket.create_connection((str(host), port), timeout=1).close()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return not self.stopped.is_set()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""

    def close(self) -> None:
        """Ends the connections that clients keep open, and the listening one. Call `stop` before."""
        with self._open_lock:
            for connection in self._open:
                _hang_up(connection)
        self.server_close()


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the client was first
        connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "notion-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: tests look at the recorded requests."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _MAX_READ:
            self.close_connection = True
            self._send(Reply(413, b"Payload too large", "text/plain"))
            return
        raw = self.rfile.read(length) if length else b""
        reply = self.server.application(self.command, self.path, self.headers, raw, self.client_address[0])
        if reply.delay:
            sleep(reply.delay, self.server.stopped)
        if reply.drop:
            self._drop()
        else:
            self._send(reply)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = do_HEAD = _serve

    def _send(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        if "Date" not in reply.headers:
            self.send_header("Date", self.date_time_string())
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()

    def _drop(self) -> None:
        """Resets the connection, as a proxy does that dies in the middle."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
