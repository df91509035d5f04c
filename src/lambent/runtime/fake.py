"""A launcher whose runtimes are coroutines: scripted, without processes or sockets, at home in virtual time.

A script gets a `FakeRuntime` and speaks the Runtime API through the same routes and checks as a real one:

    async def script(runtime: FakeRuntime) -> int:
        while True:
            event = await runtime.next()
            runtime.respond(event.request_id, event.payload)

What the script returns is the exit status. `nowhere` is the door to give the pool.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lambent.runtime.api import ApiRequest, RuntimeApi
from lambent.runtime.door import DoorLimits, OpenDoor
from lambent.runtime.errors import LaunchError
from lambent.runtime.launcher import LaunchOrder, ProcessListener
from lambent.runtime.outcomes import Exit

_INVOCATION = b"/2018-06-01/runtime/invocation/"


@dataclass(frozen=True, slots=True)
class FakeEvent:
    """An event as the runtime sees it; header names are lower-case."""

    request_id: str
    payload: bytes
    headers: dict[str, str]


class ApiRefused(Exception):
    """The Runtime API answered with an error; `status` and the whole answer."""

    def __init__(self, status: int, answer: bytes) -> None:
        super().__init__(answer.decode("latin-1"))
        self.status = status


class Crash(Exception):
    """Raised by a script to end its runtime by a signal."""

    def __init__(self, signal_number: int = 9, *, out_of_memory: bool = False) -> None:
        super().__init__(signal_number)
        self.exit = Exit(signal=signal_number, out_of_memory=out_of_memory)


class _Poll:
    def __init__(self) -> None:
        self.event: asyncio.Future[FakeEvent] = asyncio.get_running_loop().create_future()

    def deliver(self, head: bytes, payload: bytes) -> None:
        lines = head.decode().split("\r\n")[1:]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        if not self.event.done():
            self.event.set_result(FakeEvent(headers["lambda-runtime-aws-request-id"], payload, headers))


class FakeRuntime:
    """Both sides: the API calls of a script, and the `RuntimeProcess` its instance holds."""

    def __init__(self, order: LaunchOrder, listener: ProcessListener, script: "Script", pid: int) -> None:
        self.order = order
        self.pid = pid
        self.memory_bytes = 36 * 2**20
        self.last_used_s = 0.0
        self._listener = listener
        self._task = asyncio.create_task(self._run(script), name=f"fake runtime {pid}")

    async def _run(self, script: "Script") -> None:
        try:
            how = Exit(status=await script(self))
        except Crash as crash:
            how = crash.exit
        self._listener.on_exit(how)

    # --- the script's side

    async def next(self) -> FakeEvent:
        poll = _Poll()
        self.call(b"GET", _INVOCATION + b"next", poller=poll)
        try:
            event = await poll.event
            self.last_used_s = asyncio.get_running_loop().time()
            return event
        except asyncio.CancelledError:
            self.order.api.exchange.poll_lost(poll, undelivered=False)
            raise

    def respond(self, request_id: str, body: bytes) -> None:
        self.call(b"POST", b"%s%s/response" % (_INVOCATION, request_id.encode()), body=body)

    def respond_error(self, request_id: str, body: bytes) -> None:
        self.call(b"POST", b"%s%s/error" % (_INVOCATION, request_id.encode()), body=body)

    def init_error(self, body: bytes) -> None:
        self.call(b"POST", b"/2018-06-01/runtime/init/error", body=body)

    def say(self, text: str, stream: str = "stdout") -> None:
        self._listener.on_output(stream, text.encode())

    def call(self, method: bytes, path: bytes, *, body: bytes = b"", poller: _Poll | None = None) -> bytes:
        """Any call; raises `ApiRefused` for an answer of 400 or more."""
        kept = body if len(body) <= self.order.api.body_limit(path) else None
        answer = self.order.api.receive(ApiRequest(method, path, {}, kept, poller or _Poll()))
        status = int(answer[9:12]) if answer else 200
        if status >= 400:
            raise ApiRefused(status, answer or b"")
        return answer or b""

    # --- RuntimeProcess

    def is_alive(self) -> bool:
        return not self._task.done()

    def drain(self) -> None:
        """Output is handed over when it is said."""

    def peak_memory_bytes(self) -> int:
        return self.memory_bytes

    async def stop(self, grace_s: float) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


Script = Callable[[FakeRuntime], Awaitable[int]]


def echo(delay_s: float = 0.0, *, init_s: float = 0.0) -> Script:
    """A script that answers each event with its payload."""

    async def script(runtime: FakeRuntime) -> int:
        await asyncio.sleep(init_s)
        while True:
            event = await runtime.next()
            await asyncio.sleep(delay_s)
            runtime.respond(event.request_id, event.payload)

    return script


class FakeLauncher:
    """`scripts` run in the order of launches, the last one for all further ones; `launched` keeps the runtimes."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts or (echo(),)
        self.launched: list[FakeRuntime] = []
        self.refuse: LaunchError | None = None

    async def launch(self, order: LaunchOrder, listener: ProcessListener) -> FakeRuntime:
        if self.refuse is not None:
            raise self.refuse
        number = len(self.launched)
        script = self._scripts[min(number, len(self._scripts) - 1)]
        runtime = FakeRuntime(order, listener, script, pid=10_000 + number)
        self.launched.append(runtime)
        return runtime


class _Nowhere:
    address = "127.0.0.1:0"

    async def close(self) -> None:
        """No listener."""


async def nowhere(api: RuntimeApi, limits: DoorLimits) -> OpenDoor:
    """A door without a socket, for pools of fake runtimes."""
    return _Nowhere()
