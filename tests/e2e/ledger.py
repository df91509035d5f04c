"""A proxy before an AWS endpoint that writes down every create, and can act in the middle of one.

`on_create(name)` runs after the endpoint has accepted the create and before the client hears of it: the worst moment
for the client to die.
"""

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


def created_name(method: str, path: str, body: bytes) -> str | None:
    """`Bucket/x` when this request creates x; None for everything else."""
    parts = urlsplit(path)
    if method == "PUT" and parts.path.count("/") == 1 and len(parts.path) > 1 and not parts.query:
        return f"Bucket{parts.path}"
    if method == "POST" and parts.path.rstrip("/") == "/2015-03-31/functions":
        name = body.partition(b'"FunctionName"')[2].split(b'"')[1]
        return f"Function/{name.decode()}"
    if method == "POST" and parts.path == "/":
        form = parse_qs(body.decode("latin-1"))
        action = form.get("Action", [""])[0]
        if action in ("CreatePolicy", "CreateRole"):
            kind = action.removeprefix("Create")
            return f"{kind}/{form[f'{kind}Name'][0]}"
    return None


class Ledger:
    """Serves on a free loopback port; `creates` holds every create in order, with repeats."""

    def __init__(self, target: str) -> None:
        self.creates: list[str] = []
        self.on_create: Callable[[str], None] = lambda name: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(urlsplit(target).netloc))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def note(self, name: str | None, status: int) -> None:
        if name is not None and status < 300:
            self.creates.append(name)
            self.on_create(name)

    def _handler(self, target: str) -> type[BaseHTTPRequestHandler]:
        ledger = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                upstream = http.client.HTTPConnection(target, timeout=30)
                upstream.request(self.command, self.path, body, dict(self.headers))
                answer = upstream.getresponse()
                data = answer.read()
                upstream.close()
                ledger.note(created_name(self.command, self.path, body), answer.status)
                self.send_response(answer.status)
                for key, value in answer.getheaders():
                    if key.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                        self.send_header(key, value)
                self.send_header("Content-Length", answer.getheader("content-length") or str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None: ...

        return Handler
