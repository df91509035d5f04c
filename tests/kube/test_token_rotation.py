"""A mounted token is read again in time. On virtual time, as the age of a token is a minute."""

import asyncio

from lambent.kube.credentials import TokenFile


async def test_a_mounted_token_is_read_again_each_minute(tmp_path):
    token = tmp_path / "token"
    token.write_text("old")
    credentials = TokenFile(token)

    async def sent():
        return (await credentials.headers())["Authorization"]

    assert await sent() == "Bearer old"
    token.write_text("new")
    await asyncio.sleep(59)
    assert await sent() == "Bearer old"
    await asyncio.sleep(1)
    assert await sent() == "Bearer new"
