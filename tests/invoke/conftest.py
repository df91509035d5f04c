"""Functions, a fake directory and transport; virtual time unless a module says `REAL_TIME = True`."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lambent.aws.arn import FunctionId
from lambent.clock import VirtualTimeLoop
from lambent.invoke.fake import FixedTarget
from lambent.runtime.function_spec import FunctionSpec, PoolKey, ZipCode


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    module = item.getparent(pytest.Module)
    if module is not None and getattr(module.obj, "REAL_TIME", False):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}


def function(name: str = "fn", *, account: str = "123456789012", region: str = "us-east-1") -> FunctionId:
    return FunctionId(account, region, name)


def spec_of(function: FunctionId, *, version: str = "$LATEST", revision: str = "1") -> FunctionSpec:
    return FunctionSpec(
        pool_key=PoolKey(f"{function.arn}:{version}#{revision}"),
        arn=function.arn,
        name=function.name,
        version=version,
        code=ZipCode(Path("/nowhere"), ""),
    )


def target_of(function: FunctionId, **members) -> FixedTarget:
    return FixedTarget(**{"arn": function.arn, "spec": spec_of(function), **members})
