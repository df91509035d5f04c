"""The API server tells its metrics on its own port, to those who hold the token."""

import aiohttp

from lambent.kubeserver import KubeServer


async def test_metrics_are_on_the_port_for_those_with_the_token() -> None:
    server = KubeServer(state_dir=None)
    port = await server.startup("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{port}/metrics"
            async with session.get(url) as refused:
                assert refused.status == 401
            async with session.get(url, headers={"Authorization": f"Bearer {server.token}"}) as answer:
                assert "# TYPE lambent_" in await answer.text()
    finally:
        await server.shutdown()
