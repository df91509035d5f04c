"""Zip functions under the unmodified `awslambdaric`, through the process back end."""

import asyncio
import json

import pytest

pytestmark = pytest.mark.e2e

ECHO = "def handler(event, context):\n    return event\n"


async def test_a_python_function_returns_what_its_handler_returns(platform):
    result = await platform.invoke(platform.function(ECHO), {"text": "grüße"})
    assert not result.is_error
    assert json.loads(result.payload) == {"text": "grüße"}


async def test_an_exception_reaches_the_caller_as_the_runtime_posted_it(platform):
    result = await platform.invoke(platform.function("def handler(event, context):\n    raise KeyError('no')\n"))
    body = json.loads(result.payload)
    assert result.is_error
    assert (body["errorType"], body["errorMessage"]) == ("KeyError", "'no'")
    assert body["requestId"].startswith("00000000-")


async def test_a_failing_import_is_told_to_the_waiting_event(platform):
    result = await platform.invoke(platform.function("import not_there\n"))
    body = json.loads(result.payload)
    assert result.is_error
    assert body["errorType"] == "Runtime.ImportModuleError"
    assert body["requestId"] == ""


async def test_a_function_over_its_time_is_killed_and_replaced(platform):
    source = "import os, time\ndef handler(event, context):\n    time.sleep(event)\n    return os.getpid()\n"
    spec = platform.function(source, timeout_s=0.3)
    first = json.loads((await platform.invoke(spec, 0)).payload)
    late = await platform.invoke(spec, 30)
    assert json.loads(late.payload)["errorType"] == "Sandbox.Timedout"
    assert json.loads(late.payload)["errorMessage"].endswith("Error: Task timed out after 0.30 seconds")
    assert json.loads((await platform.invoke(spec, 0)).payload) != first


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ],
    ids=["status", "zero", "signal"],
)
async def test_a_crash_is_told_at_once(platform, code, message):
    source = f"import os, time\ndef handler(event, context):\n    print(time.time(), flush=True)\n    {code}\n"
    spec = platform.function(source, timeout_s=30)
    async with asyncio.timeout(5):
        result = await platform.invoke(spec)
    body = json.loads(result.payload)
    assert body["errorType"] == "Runtime.ExitError"
    assert body["errorMessage"].endswith(f"Error: {message}")
    assert body["errorMessage"].startswith("RequestId: 00000000-")


async def test_a_custom_runtime_runs_its_bootstrap(platform):
    bootstrap = """#!/bin/sh
while true; do
  HEADERS=$(mktemp)
  EVENT=$(curl -sS -D "$HEADERS" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next")
  ID=$(grep -i lambda-runtime-aws-request-id "$HEADERS" | tr -d '[:space:]' | cut -d: -f2)
  rm "$HEADERS"
  curl -sS -d "[\\"$_HANDLER\\", $EVENT]" \\
    "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$ID/response" >/dev/null
done
"""
    spec = platform.function({"bootstrap": bootstrap}, runtime="provided.al2023", handler="some.thing")
    assert json.loads((await platform.invoke(spec, 7)).payload) == ["some.thing", 7]
    assert json.loads((await platform.invoke(spec, 8)).payload) == ["some.thing", 8]


async def test_a_missing_bootstrap_is_an_invalid_entrypoint(platform):
    spec = platform.function(ECHO, runtime="provided.al2023")
    result = await platform.invoke(spec)
    assert json.loads(result.payload)["errorType"] == "Runtime.InvalidEntrypoint"


async def test_the_log_tail_holds_the_lines_of_its_own_event_only(platform):
    spec = platform.function("def handler(event, context):\n    print('said', event)\n")
    first = await platform.invoke(spec, "one", wants_log_tail=True)
    second = await platform.invoke(spec, "two", wants_log_tail=True)
    assert [line.split()[0] for line in second.log_tail.splitlines()] == [b"START", b"said", b"END", b"REPORT"]
    assert b"said two" in second.log_tail
    assert b"one" not in second.log_tail
    assert b"Init Duration" in first.log_tail
    assert b"Init Duration" not in second.log_tail
    assert b"Max Memory Used: 0 MB" not in second.log_tail


async def test_a_very_long_traceback_reaches_the_caller(platform):
    source = "def dig(n):\n    return dig(n + 1)\ndef handler(event, context):\n    return dig(0)\n"
    result = await platform.invoke(platform.function(source))
    assert json.loads(result.payload)["errorType"] == "RecursionError"


async def test_two_hundred_first_calls_at_once_all_succeed(platform):
    spec = platform.function(ECHO)
    async with asyncio.timeout(20):
        results = await asyncio.gather(*(platform.invoke(spec, number) for number in range(200)))
    assert [json.loads(result.payload) for result in results] == list(range(200))


async def test_a_response_above_the_limit_is_told_and_the_function_serves_on(platform):
    spec = platform.function("def handler(event, context):\n    return 'x' * event\n")
    result = await platform.invoke(spec, 7_000_000)
    assert json.loads(result.payload)["errorType"] == "Function.ResponseSizeTooLarge"
    assert json.loads((await platform.invoke(spec, 3)).payload) == "xxx"
