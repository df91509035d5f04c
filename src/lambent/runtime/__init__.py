"""Runtime engine: events, runtime pools, the Runtime API, and what they need of an execution back end."""

from lambent.runtime.function_spec import FunctionSpec, ImageCode, PoolKey, ZipCode
from lambent.runtime.invocation import Event, RequestId, Result

__all__ = ["Event", "FunctionSpec", "ImageCode", "PoolKey", "RequestId", "Result", "ZipCode"]
