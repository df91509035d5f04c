"""The path of an Invoke request, read once per distinct path.

`/2015-03-31/functions/{name}/invocations?Qualifier=q`, the same with response streaming under `/2021-11-15/`, and the
old `/2014-11-13/functions/{name}/invoke-async/`. Clients repeat the same path thousands of times, so what it says is
kept in a small table.
"""

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, unquote

from lambent.aws.arn import FunctionName, parse_function_name
from lambent.invoke import refusals

_TABLE_LIMIT = 4096
_NAME_SHAPE = "NamespacedFunctionName"
_QUALIFIER_SHAPE = "NumericLatestPublishedOrAliasQualifier"
_SHORT_ACCOUNT = re.compile(r"(?:arn:aws[\w-]*:lambda:[\w-]+:)?\d{1,11}:function:")


Api = Literal["Invoke", "InvokeAsync", "InvokeWithResponseStream"]
_APIS: dict[tuple[str, str, str], Api] = {
    ("2015-03-31", "functions", "invocations"): "Invoke",
    ("2014-11-13", "functions", "invoke-async"): "InvokeAsync",
    ("2021-11-15", "functions", "response-streaming-invocations"): "InvokeWithResponseStream",
}


class Route(NamedTuple):
    name: FunctionName
    qualifier: str | None
    api: Api


def is_invoke_path(raw_path: bytes) -> bool:
    """Whether a request with this path belongs to `InvokeService`."""
    return _api(raw_path) is not None


def _api(raw_path: bytes) -> Api | None:
    parts = raw_path.decode("latin-1").strip("/").split("/")
    return _APIS.get((parts[0], parts[1], parts[3])) if len(parts) == 4 else None


@dataclass(slots=True)
class Routes:
    _table: dict[bytes, Route] = field(default_factory=dict)

    def read(self, target: bytes) -> Route | None:
        """None for a path that is none of Invoke's; raises `ServiceError` for a name or qualifier that cannot be."""
        return self._table.get(target) or self._parse(target)

    def _parse(self, target: bytes) -> Route | None:
        raw_path, _, query = target.partition(b"?")
        api = _api(raw_path)
        if api is None:
            return None
        text = unquote(raw_path.decode("latin-1").strip("/").split("/")[2])
        given = parse_qs(query.decode("latin-1")).get("Qualifier", [None])[0]
        problems = [] if given is None else refusals.violations(given, "qualifier", _QUALIFIER_SHAPE)
        problems += refusals.violations(text, "functionName", _NAME_SHAPE)
        name = parse_function_name(text)
        if name is None or (problems and not _is_short_account(text, problems)):
            raise refusals.invalid_request(problems)
        if given and name.qualifier and given != name.qualifier:
            raise refusals.qualifier_mismatch()
        if len(self._table) >= _TABLE_LIMIT:
            self._table.clear()
        route = self._table[target] = Route(name, given or name.qualifier, api)
        return route


def _is_short_account(text: str, problems: list[str]) -> bool:
    """Ids of fewer than 12 digits are names of accounts here, though the model's pattern wants 12."""
    return len(problems) == 1 and _SHORT_ACCOUNT.match(text) is not None
