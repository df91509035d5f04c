import pytest

from lambent.aws.clients import AwsClients, Credentials
from lambent.aws.embedded import EmbeddedAws
from lambent.http import HttpServer, Limits, WsgiService


class Aws:
    """A running embedded AWS and clients of it."""

    def __init__(self, embedded: EmbeddedAws, url: str) -> None:
        self.embedded = embedded
        self.url = url
        self._open: list[AwsClients] = []

    def clients(self, **options) -> AwsClients:
        self._open.append(AwsClients(self.url, **options))
        return self._open[-1]

    def account(self, access_key: str) -> AwsClients:
        return self.clients(credentials=Credentials(access_key, "secret"))

    async def close(self) -> None:
        for clients in self._open:
            await clients.aclose()


@pytest.fixture
def blind_to_profiles(monkeypatch):
    """Undoes what starting the embedded AWS does to this process's environment."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(name, "/dev/null")
        monkeypatch.delenv(name)


@pytest.fixture
async def aws(blind_to_profiles):
    """An embedded AWS with nothing in it."""
    embedded = EmbeddedAws()
    await embedded.startup()
    await embedded.reset()
    service = WsgiService(embedded)
    server = HttpServer(service, limits=Limits(body=lambda *_: 10**8))
    host, port = await server.startup("127.0.0.1", 0)
    running = Aws(embedded, f"http://{host}:{port}")
    yield running
    await running.close()
    await server.shutdown(1)
    await service.shutdown()
