"""A proxy before an AWS endpoint that writes down every change a client asks for, and can act around one.

Changes go through one at a time. `around(moment, change)` runs before a change is passed on, and after the endpoint has
answered and before the client hears of it: the worst moments for the client to die. If it says that the client is dead
now, nobody is answered, and what that client had sent and was not passed on yet never is.
"""

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

Moment = Literal["before", "after"]
_FUNCTIONS = "/2015-03-31/functions"


def change_of(method: str, path: str, body: bytes) -> str | None:
    """`CreateBucket` and the like; None for what changes nothing, or a detail that has no name here."""
    parts = urlsplit(path)
    if method == "POST" and parts.path == "/":
        action = parse_qs(body.decode("latin-1")).get("Action", [""])[0]
        return None if action.startswith(("Get", "List")) else action
    if parts.path.startswith(_FUNCTIONS):
        return {"POST": "CreateFunction", "DELETE": "DeleteFunction"}.get(method)
    if parts.path.count("/") == 1 and len(parts.path) > 1 and not parts.query:
        return {"PUT": "CreateBucket", "DELETE": "DeleteBucket"}.get(method)
    return None


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def asked(target: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    upstream = http.client.HTTPConnection(target, timeout=30)
    try:
        upstream.request(method, path, body, headers)
        answer = upstream.getresponse()
        named = [(key.lower(), value) for key, value in answer.getheaders()]
        return Answer(answer.status, named, answer.read())
    finally:
        upstream.close()


class Ledger:
    """Serves on a free loopback port; `sent` holds every change that was passed on, in order, with repeats.

    `client` numbers those that came one after the other, a connection belongs to the one that opened it; `died` is set
    when one is dead.
    """

    def __init__(self, target: str) -> None:
        self.sent: list[str] = []
        self.around: Callable[[Moment, str], bool] = lambda moment, change: False
        self._turn = threading.Lock()
        self.client = 0
        self.died = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(urlsplit(target).netloc))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def pass_on(self, client: int, change: str, ask: Callable[[], Answer]) -> Answer | None:
        """The endpoint's answer; None when the client is dead."""
        with self._turn:
            if client != self.client or self._is_dead("before", change):
                return None
            self.sent.append(change)
            answer = ask()
            return None if self._is_dead("after", change) else answer

    def _is_dead(self, moment: Moment, change: str) -> bool:
        if not self.around(moment, change):
            return False
        self.client += 1
        self.died.set()
        return True

    def _handler(self, target: str) -> type[BaseHTTPRequestHandler]:
        ledger = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                self.client = ledger.client
                super().setup()

            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))

                def ask() -> Answer:
                    return asked(target, self.command, self.path, body, dict(self.headers))

                change = change_of(self.command, self.path, body)
                answer = ledger.pass_on(self.client, change, ask) if change else ask()
                if answer is None:
                    self.close_connection = True
                else:
                    self._answer(answer)

            def _answer(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for key, value in answer.headers:
                    if key.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                        self.send_header(key, value)
                length = dict(answer.headers).get("content-length") or str(len(answer.body))
                self.send_header("Content-Length", length)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None: ...

        return Handler
