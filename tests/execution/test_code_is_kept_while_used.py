"""Unpacked code: shared by digest, removed with its last user, never left half done."""

from dataclasses import replace
from pathlib import Path

import pytest

from lambent.execution import CodeError, ProcessExecutor
from lambent.runtime.errors import PoolClosed
from lambent.runtime.function_spec import PoolKey, ZipCode
from lambent.runtime.invocation import Event, RequestId

pytestmark = pytest.mark.e2e

ECHO = "def handler(event, context):\n    return event\n"


def unpacked(platform) -> list[Path]:
    return sorted((platform.directory / "code").glob("*/zip/*"))


async def test_two_versions_share_one_directory_until_the_last_is_retired(platform):
    first = platform.function(ECHO)
    second = replace(first, pool_key=PoolKey("second"))
    await platform.executor.prepare(first)
    await platform.executor.prepare(second)
    assert [path.name for path in unpacked(platform)] == [first.code.sha256]
    await platform.executor.retire(first.pool_key)
    assert (await platform.invoke(second, 1)).payload == b"1"
    await platform.executor.retire(second.pool_key)
    assert unpacked(platform) == []


async def test_preparing_and_retiring_again_is_harmless(platform):
    spec = platform.function(ECHO)
    for _ in range(2):
        await platform.executor.prepare(spec)
    for _ in range(2):
        await platform.executor.retire(spec.pool_key)
    assert unpacked(platform) == []
    assert (await platform.invoke(spec, 1)).payload == b"1"


async def test_a_key_that_was_not_prepared_is_closed(platform):
    with pytest.raises(PoolClosed):
        await platform.executor.invoke(PoolKey("unknown"), Event(RequestId("r"), "arn", b"{}"))


@pytest.mark.parametrize(
    ("content", "changes", "reason"),
    [
        (b"junk", {}, "InvalidZipFileException"),
        (None, {"runtime": "nodejs22.x"}, "InvalidRuntime"),
        (None, {"code": ZipCode(Path("/nowhere/x.zip"), "ab")}, "InternalError"),
        (None, {"code": ZipCode(Path("/nowhere/x.zip"), "../ab")}, "InternalError"),
    ],
    ids=["broken", "runtime", "missing", "digest"],
)
async def test_code_that_cannot_run_is_refused_with_lambdas_reason(platform, content, changes, reason):
    spec = platform.function(ECHO)
    if content:
        spec.code.path.write_bytes(content)
    with pytest.raises(CodeError) as caught:
        await platform.executor.prepare(replace(spec, **changes))
    assert caught.value.reason_code == reason
    assert unpacked(platform) == []


async def test_what_a_killed_lambent_left_is_removed(tmp_path):
    leftovers = [tmp_path / "code/other-boot/zip/00", tmp_path / "code/other-boot/zip/.unpacking-1"]
    for path in leftovers:
        path.mkdir(parents=True)
    executor = ProcessExecutor(tmp_path / "code")
    await executor.startup()
    await executor.shutdown()
    assert list((tmp_path / "code").glob("*/zip/*")) == []


async def test_nothing_is_prepared_after_shutdown(platform):
    await platform.executor.shutdown()
    with pytest.raises(PoolClosed):
        await platform.executor.prepare(platform.function(ECHO))
