"""The server in processes of its own, some of which are killed with SIGKILL at a moment of chance.

Each process is a fork of the test's: it costs nothing to begin, and dies as a server does. What is being worked on when
it dies is rolled back by the database; the next one goes on with what it finds there.
"""

from __future__ import annotations

import http.client
import os
import random
import signal
import socket
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any, NoReturn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.core.wsgi import get_wsgi_application
from django.db import connections

from agents_app.services import catalog

# Of so many pieces of work one process dies, within so many seconds of its beginning.
SHARE, MOMENT = 0.4, 0.4
# By this header the test tells the web process what time it is.
CLOCK = "X-Test-Clock"


class Mortal:
    """Runs pieces of work in processes, and kills some of them; ``killed`` counts those that died at work."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.killed = 0

    def run(self, work: Callable[[], Any]) -> None:
        """Until one process has come to the end of it. Work finds what is left in rows, so it is simply begun anew."""
        while True:
            pid = fork(work)
            if self.chance.random() < SHARE:
                time.sleep(self.chance.random() * MOMENT)
                os.kill(pid, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            if status == 0:
                return
            assert status == -signal.SIGKILL, f"the process failed by itself (status {status}), see above"
            self.killed += 1


class Web:
    """The endpoints over HTTP, served by one process at a time. The listening socket outlives them, as with a proxy."""

    def __init__(self, mortal: Mortal, clock: Any) -> None:
        self.mortal, self.clock = mortal, clock
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.pid = 0

    def post(self, path: str, body: bytes, headers: dict[str, str], now: float) -> int:
        """Sends it, again where no answer came, as the services do; returns the status."""
        self.pid = self.pid or fork(self._serve)
        while True:
            dies = self.mortal.chance.random() < SHARE / 10
            connection = http.client.HTTPConnection(*self.socket.getsockname(), timeout=60)
            try:
                connection.request("POST", path, body, {**headers, CLOCK: str(now)})
                if dies:
                    time.sleep(self.mortal.chance.random() * 0.05)
                    self._kill()
                    # What the dead one had not accepted yet waits for this one.
                    self.pid = fork(self._serve)
                return connection.getresponse().status
            except (ConnectionError, http.client.HTTPException):
                assert dies, "the web process gave no answer, and nobody had killed it"
            finally:
                connection.close()

    def _kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.pid = 0
        self.mortal.killed += 1

    def close(self) -> None:
        if self.pid:
            self._kill()
            self.mortal.killed -= 1
        self.socket.close()

    def _serve(self) -> None:
        server = _Server(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = self.socket
        server.server_name, server.server_port = self.socket.getsockname()
        server.setup_environ()
        application = get_wsgi_application()

        def at_its_time(environ: dict[str, Any], start: Any) -> Any:
            self.clock.move_to(float(environ.pop("HTTP_" + CLOCK.upper().replace("-", "_"))))
            return application(environ, start)

        server.set_app(at_its_time)
        server.serve_forever()


class _Server(WSGIServer):
    request_queue_size = 50


class _Handler(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Each request is told of by its answer."""

    def get_stderr(self) -> Any:
        return open(os.devnull, "w")


def fork(work: Callable[[], Any]) -> int:
    """A process that does the work and ends; returns its number. It has connections of its own to the database."""
    connections.close_all()
    with warnings.catch_warnings():
        # The other threads serve the local Notion; nothing of theirs is used over there.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        _be_a_process(work)
    return pid


def _be_a_process(work: Callable[[], Any]) -> NoReturn:
    status = 1
    try:
        catalog.forget()
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
