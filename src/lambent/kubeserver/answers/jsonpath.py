"""The JSONPath of printer columns and scale paths: `.a.b`, `['a']`, `[0]`, `[*]`, `[?(@.type=="Ready")]`.

Compiled once per column; the first match is the answer. Source: Kubernetes docs, "JSONPath Support" (the part that
columns may use).
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

_STEP = re.compile(
    r"""\.?(?P<name>[A-Za-z0-9_\-]+(?:\\\.[A-Za-z0-9_\-/]+)*)
      | \[\s*(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\s*\]
      | \[(?P<index>-?\d+)\]
      | (?P<all>\[\*\]|\.\*)
      | \[\?\(\s*@(?P<field>[^=!<>)]*?)\s*(?P<op>==|!=|<=|>=|<|>)\s*(?P<value>"[^"]*"|'[^']*'|[^)]*?)\s*\)\]
      | (?P<dot>\.)
    """,
    re.VERBOSE,
)

Step = Callable[[Any], Iterator[Any]]


class PathError(ValueError):
    """The text is not a path we can follow."""


@lru_cache(maxsize=2048)
def compile_path(text: str) -> Callable[[Any], Any]:
    """A function that answers the first match or None."""
    steps = _steps(text)

    def find(value: Any) -> Any:
        return next(_follow(value, steps), None)

    return find


def _follow(value: Any, steps: list[Step]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    for below in steps[0](value):
        yield from _follow(below, steps[1:])


def _steps(text: str) -> list[Step]:
    text = text.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise PathError(f"cannot read {text!r} from character {at}")
        at = match.end()
        if match["name"] or match["quoted"] is not None:
            steps.append(_member((match["name"] or match["quoted"]).replace("\\.", ".")))
        elif match["index"]:
            steps.append(_element(int(match["index"])))
        elif match["all"]:
            steps.append(_every)
        elif match["op"]:
            steps.append(_filter(match["field"], match["op"], match["value"]))
    return steps


def _member(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _element(index: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _every(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()


def _filter(path: str, operator: str, literal: str) -> Step:
    find = compile_path(path) if path else (lambda value: value)
    wanted = _literal(literal)

    def step(value: Any) -> Iterator[Any]:
        for one in value if isinstance(value, list) else ():
            if _compare(find(one), operator, wanted):
                yield one

    return step


def _literal(text: str) -> Any:
    if text[:1] in "\"'" and len(text) > 1:
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def _compare(value: Any, operator: str, wanted: Any) -> bool:
    if operator == "==":
        return type(value) is type(wanted) and bool(value == wanted)
    if operator == "!=":
        return value is not None and bool(value != wanted)
    try:
        less, same = value < wanted, value == wanted
    except TypeError:
        return False
    return bool({"<": less, "<=": less or same, ">": not less and not same, ">=": not less}[operator])


def simple_path(text: str) -> list[str]:
    """The members of a plain dotted path such as `.spec.replicas`."""
    return [part for part in text.split(".") if part]
