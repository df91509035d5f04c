"""Clients of AWS over HTTP: aiobotocore's.

With an endpoint their session reads neither AWS_* variables nor files under ~/.aws: its configuration store holds
botocore's own defaults as constants, so no provider that looks elsewhere exists. What remains (endpoint, region, keys)
is given to every client. Without an endpoint the usual AWS credential chain decides.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from functools import cache
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConfigValueStore, ConstantProvider
from botocore.loaders import create_loader

from lambent import __version__
from lambent.aws.metrics import count_requests

# Where botocore would look for files; the null device reads as an empty one.
_FILES = ("config_file", "credentials_file")


class Wire:
    """Opens clients and closes them together; `retry_mode` and `max_attempts` are botocore's."""

    def __init__(
        self, endpoint_url: str | None, keys: dict[str, str | None], *, retry_mode: str, max_attempts: int, pool: int
    ) -> None:
        self._endpoint_url = endpoint_url
        self._keys = keys
        self._session: Any = IsolatedSession() if endpoint_url else AioSession()
        count_requests(self._session)
        self._config = AioConfig(
            retries={"mode": retry_mode, "total_max_attempts": max_attempts},
            max_pool_connections=pool,
            # An empty table keeps HTTP_PROXY away from a loopback endpoint.
            proxies={} if endpoint_url else None,
            connect_timeout=5,
            read_timeout=60,
            # botocore's own is composed anew for each request, from ten parts.
            user_agent=f"lambent/{__version__}",
        )
        self._stack = AsyncExitStack()

    async def open(self, service: str, region: str) -> Any:
        await asyncio.to_thread(self._load_models, service)
        context = self._session.create_client(
            service, region_name=region, endpoint_url=self._endpoint_url, config=self._config, **self._keys
        )
        return await self._stack.enter_async_context(context)

    def _load_models(self, service: str) -> None:
        loader = self._session.get_component("data_loader")
        for name in ("endpoints", "partitions", "sdk-default-configuration"):
            loader.load_data(name)
        for kind in ("service-2", "endpoint-rule-set-1"):
            loader.load_service_model(service, kind)

    async def aclose(self) -> None:
        """Closes every client; `open` may be called again."""
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()


@cache
def _loader() -> Any:
    """Parsed models are large and the same for every session; not the process's other loader, since clients of
    aiobotocore change the paths of S3's model."""
    return create_loader()


class IsolatedSession(AioSession):  # type: ignore[misc]  # the library is untyped
    """An aiobotocore session whose every setting is botocore's default."""

    def _register_data_loader(self) -> None:
        self._components.lazy_register_component("data_loader", _loader)

    def _register_config_store(self) -> None:
        defaults: dict[str, Any] = {name: spec[2] for name, spec in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
        defaults |= dict.fromkeys(_FILES, os.devnull)
        defaults["profile"] = None
        store = ConfigValueStore(mapping={name: ConstantProvider(value) for name, value in defaults.items()})
        self._components.register_component("config_store", store)
