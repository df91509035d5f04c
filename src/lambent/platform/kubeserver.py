"""The embedded Kubernetes API: a part of `up`, and the process `lambent kubeserver`."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from lambent.kubeserver import KubeServer
from lambent.platform.ports import port_option
from lambent.platform.state import StateDirectory
from lambent.settings import Settings


class KubeServerDaemon:
    """Alone, it writes kubeconfig and token into its state directory."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        path = settings.state
        if settings.ephemeral:
            from tempfile import TemporaryDirectory  # 3 ms, which a start with a state directory is spared

            path = Path(self._stack.enter_context(TemporaryDirectory(prefix="lambent-")))
        self._state = StateDirectory(path)

    async def startup(self) -> None:
        settings = self._settings
        self._state.acquire()
        self._stack.callback(self._state.release)
        self._server = KubeServer(state_dir=None if settings.ephemeral else self._state.path)
        with port_option("--kube-port", "--kube-listen"):
            await self._server.startup(settings.kube.listen, settings.kube.port)
        self._stack.push_async_callback(self._server.shutdown)
        self._server.write_kubeconfig(self._state / "kubeconfig")

    def announce(self) -> None:
        print(f"lambent kubeserver is up; kubectl --kubeconfig {self._state / 'kubeconfig'} get namespaces", flush=True)

    async def serve(self) -> None:
        await asyncio.Event().wait()

    async def shutdown(self) -> None:
        await self._stack.aclose()
