"""Image functions of an unpacked image under the process back end."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lambent.errors import LambentError
from lambent.execution.errors import CodeError
from lambent.execution.executor import ProcessExecutor
from lambent.execution.images import PlainImageConfig
from lambent.runtime.function_spec import FunctionSpec, ImageCode, PoolKey
from lambent.runtime.invocation import Event, RequestId

pytestmark = pytest.mark.e2e

SOURCE = """import os
def handler(event, context):
    return {"event": event, "cwd": os.getcwd(), "color": os.environ.get("COLOR"), "handler": os.environ["_HANDLER"]}
other = handler
"""


class OneImage:
    """A source with one image: a task root with `app.py`."""

    def __init__(self, config: PlainImageConfig) -> None:
        self.config = config
        self.unpacked = 0

    async def unpack(self, uri: str, digest: str, destination: Path) -> PlainImageConfig:
        if uri != "repo/image:1":
            raise LambentError(f"no image {uri}")
        self.unpacked += 1
        task = destination / "var/task"
        task.mkdir(parents=True)
        (task / "app.py").write_text(SOURCE)
        return self.config


def image_function(**changes) -> FunctionSpec:
    code = ImageCode("repo/image:1", "sha256:" + "ab" * 32, **changes)
    return FunctionSpec(PoolKey("image"), "arn", "demo", "$LATEST", code, timeout_s=5)


async def run(tmp_path: Path, source: OneImage, *specs: FunctionSpec) -> list[dict]:
    executor = ProcessExecutor(tmp_path / "code", images=source)
    await executor.startup()
    try:
        results = [await executor.invoke(each, Event(RequestId("r"), "arn", b"1")) for each in specs]
    finally:
        await executor.shutdown()
    return [json.loads(result.payload) for result in results]


@pytest.mark.parametrize(
    "entrypoint",
    [(), ("/lambda-entrypoint.sh",), ("/usr/bin/python3.12", "-m", "awslambdaric")],
    ids=["none", "script", "client"],
)
async def test_an_image_runs_its_command_as_the_handler(tmp_path, entrypoint):
    config = PlainImageConfig({"COLOR": "blue", "PATH": "/nowhere"}, entrypoint, ("app.handler",), "/var/task")
    [body] = await run(tmp_path, OneImage(config), image_function())
    assert body["event"] == 1
    assert body["cwd"].endswith("/var/task")
    assert (body["color"], body["handler"]) == ("blue", "app.handler")


async def test_functions_share_one_unpacked_image_and_run_each_its_own_command(tmp_path):
    source = OneImage(PlainImageConfig(command=("app.handler",)))
    first = image_function()
    second = replace(first, pool_key=PoolKey("second"), environment={"COLOR": "red"})
    third = replace(image_function(command=("app.other",)), pool_key=PoolKey("third"))
    bodies = await run(tmp_path, source, first, second, third)
    assert [body["color"] for body in bodies] == [None, "red", None]
    assert [body["handler"] for body in bodies] == ["app.handler", "app.handler", "app.other"]
    assert source.unpacked == 1


async def test_an_image_configuration_of_the_function_wins(tmp_path):
    source = OneImage(PlainImageConfig(entrypoint=("/bin/server",), command=("x",)))
    [body] = await run(tmp_path, source, image_function(entrypoint=(), command=("app.handler",)))
    assert body["handler"] == "app.handler"


@pytest.mark.parametrize(
    ("config", "changes", "part"),
    [
        (PlainImageConfig(entrypoint=("/bin/server",), command=("x",)), {}, "cannot run entry point /bin/server"),
        (PlainImageConfig(entrypoint=("/lambda-entrypoint.sh",)), {}, "names no handler"),
        (PlainImageConfig(command=("app.handler",), working_directory="/../.."), {"uri": "gone:1"}, "no image"),
    ],
    ids=["entry point", "no handler", "no image"],
)
async def test_an_image_that_cannot_run_is_refused_when_prepared(tmp_path, config, changes, part):
    spec = image_function()
    spec = replace(spec, code=replace(spec.code, **changes))
    executor = ProcessExecutor(tmp_path / "code", images=OneImage(config))
    await executor.startup()
    try:
        with pytest.raises(CodeError, match=part) as caught:
            await executor.prepare(spec)
    finally:
        await executor.shutdown()
    assert caught.value.reason_code == "InvalidImage"
