"""The kinds in which the Lambda service keeps its state, and how their objects are named.

`metadata.name` is a slug of the function's name, for people, and 12 hex digits of SHA-256 of the unqualified ARN, so
that names which differ only in case or in `_` and `-` stay apart. What exactly is meant stands in the spec.
"""

import hashlib
import re

from lambent.aws.arn import FunctionId
from lambent.kube.types import GVK

GROUP = "lambent.dev"
VERSION = "v1alpha1"
FUNCTION = GVK(GROUP, VERSION, "LambdaFunction")
FUNCTION_VERSION = GVK(GROUP, VERSION, "LambdaFunctionVersion")
ALIAS = GVK(GROUP, VERSION, "LambdaAlias")

FINALIZER = "lambent.dev/functions"
FUNCTION_LABEL = "lambent.dev/function"
"""Value: `function_hash`; on every object that belongs to a function, so one selector finds them all."""

_SLUG_LIMIT = 30


def function_hash(function: FunctionId) -> str:
    return hashlib.sha256(function.arn.encode()).hexdigest()[:12]


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:_SLUG_LIMIT].strip("-") or "f"


def object_name(function: FunctionId) -> str:
    return f"{slug(function.name)}-{function_hash(function)}"


def version_name(function: FunctionId, number: int) -> str:
    return f"{object_name(function)}-{number}"


def alias_name(function: FunctionId, alias: str) -> str:
    """The alias is hashed too: aliases differ in case."""
    return f"{object_name(function)}-{slug(alias)}-{hashlib.sha256(alias.encode()).hexdigest()[:8]}"
