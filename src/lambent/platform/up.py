"""`lambent up`: every part in one process, on one loop, kept in one directory.

Kubernetes first (everything lives in its objects), then the AWS port with the functions, then the controllers, which
speak to both. Shutdown is the reverse. What cannot survive a restart is said at start.
"""

import asyncio
import os
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from lambent.aws.embedded import SAVED
from lambent.kube.client import KubeClient
from lambent.kube.informer import InformerHub
from lambent.kubeserver import KubeServer
from lambent.platform.controller import ControllerPart, controller_clients
from lambent.platform.crds import apply_crds
from lambent.platform.function_output import FunctionOutput
from lambent.platform.ports import port_option
from lambent.platform.server import AwsServer
from lambent.platform.state import Endpoints, StateDirectory
from lambent.settings import Settings


class Up:
    """`echo` gets the functions' output, each line with the function's name in front."""

    def __init__(self, settings: Settings, *, echo: TextIO | None) -> None:
        self._stack = AsyncExitStack()
        if settings.ephemeral and settings.state == Settings().state:
            directory = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="lambent-"))
            settings = replace(
                settings,
                state=Path(directory),
                aws=replace(settings.aws, port=0),
                kube=replace(settings.kube, port=0),
            )
        self._settings = settings
        self._echo = echo
        self._began_s = time.monotonic()
        self.state = StateDirectory(settings.state)
        self.kube: KubeClient
        self.endpoints: Endpoints

    async def startup(self) -> None:
        settings = self._settings
        self.state.acquire()
        self._stack.callback(self.state.release)
        output = FunctionOutput(self.state / "logs", echo=self._echo)
        self._stack.callback(output.close)

        kubeserver = KubeServer(state_dir=None if settings.ephemeral else self.state.path)
        with port_option("--kube-port", "--kube-listen"):
            kube_port = await kubeserver.startup(settings.kube.listen, settings.kube.port)
        self._stack.push_async_callback(kubeserver.shutdown)
        kubeserver.write_kubeconfig(self.state / "kubeconfig")
        self.kube = kubeserver.local_client()
        await apply_crds(self.kube)

        hub = await self._stack.enter_async_context(InformerHub(self.kube))
        self._aws = AwsServer(self.kube, hub, settings, state=self.state, output=output)
        self._stack.push_async_callback(self._aws.shutdown)
        await self._aws.startup()
        self._aws.health.add("informers", hub.is_ready)
        clients = controller_clients(settings, self._aws.url, send=self._aws.send)
        self._stack.push_async_callback(clients.aclose)
        self._controllers = ControllerPart(self.kube, hub, settings, clients)
        self._stack.push_async_callback(self._controllers.shutdown)
        await self._controllers.startup()
        self._publish(kube_port)

    def _publish(self, kube_port: int) -> None:
        settings = self._settings
        self.endpoints = Endpoints(
            pid=os.getpid(),
            aws=self._aws.url,
            kubernetes=f"https://{settings.kube.listen}:{kube_port}",
            kubeconfig=str(self.state / "kubeconfig"),
            region=settings.region,
            account_id=settings.account_id,
        )
        self.state.publish(self.endpoints)

    def print_welcome(self) -> None:
        where = self.endpoints
        print(
            f"lambent is up after {time.monotonic() - self._began_s:.1f} s. Ctrl-C stops it.\n"
            f"  AWS         {where.aws}   (account {where.account_id}, {where.region})\n"
            f"  Kubernetes  {where.kubernetes}   (kubeconfig {where.kubeconfig})\n"
            f"  state       {self.state.path}   ({self._what_is_kept()})\n"
            f'In another terminal: eval "$(lambent env{self._state_flag()})"',
            flush=True,
        )

    def _what_is_kept(self) -> str:
        if self._settings.ephemeral:
            return "gone at the end"
        return f"of AWS it keeps {', '.join(['lambda', 'ecr', *SAVED])}; other services start empty"

    def _state_flag(self) -> str:
        return "" if self._settings.state == Settings().state else f" --state {self.state.path}"

    async def serve(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._aws.serve())
            group.create_task(self._controllers.serve())

    async def shutdown(self) -> None:
        await self._stack.aclose()
