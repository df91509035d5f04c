"""YAML as Kubernetes reads it: what JSON has a word for, bounded in depth and in what aliases repeat.

Findings are told in the words of Go's YAML library. Not here: bodies that are called YAML and are JSON (`decoding`).
"""

import base64
import math
import re
from collections.abc import Iterator
from typing import Any

import orjson
import yaml

from lambent.kubeserver.requests.decoding import DEEPEST, OWNERSHIP_LEVELS, NotYaml, parse_json
from lambent.kubeserver.status import bad_request
from lambent.kubeserver.storage.records import go_numbers


class _Loader(yaml.CSafeLoader):
    """With the short words of YAML 1.1 for true and false, which PyYAML leaves out and Go's library knows."""

    def construct_yaml_bool(self, node: yaml.ScalarNode) -> bool:
        return str(self.construct_scalar(node)).lower() in ("y", "yes", "true", "on")

    def construct_plainly(self, node: yaml.Node) -> Any:
        """A value whose tag means nothing here, or that Go's library leaves a text."""
        if isinstance(node, yaml.MappingNode):
            return self.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node, deep=True)
        return str(node.value)

    def construct_number(self, node: yaml.ScalarNode) -> Any:
        """Python reads minutes and seconds in a number with colons."""
        text = str(self.construct_scalar(node))
        if ":" in text:
            return text
        try:
            return self.construct_yaml_int(node) if node.tag == _INT else self.construct_yaml_float(node)
        except (ValueError, IndexError):
            untagged = self.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # not in the stubs
            if untagged == node.tag:  # only looks like a number
                return text
            raise NotYaml(f"yaml: cannot decode !!str `{text}` as a !!{node.tag.rpartition(':')[2]}") from None

    def construct_bytes(self, node: yaml.ScalarNode) -> str:
        text = re.sub(r"[\r\n]", "", str(self.construct_scalar(node)))
        try:
            return base64.b64decode(text, validate=True).decode(errors="replace")
        except ValueError:
            raise NotYaml("yaml: !!binary value contains invalid base64 data") from None


_INT, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
_BOOL = "tag:yaml.org,2002:bool"
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^[yYnN]$"), list("yYnN"))
_Loader.add_implicit_resolver(_FLOAT, re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("+-0123456789"))
_Loader.add_constructor(_BOOL, _Loader.construct_yaml_bool)
_Loader.add_constructor(_INT, _Loader.construct_number)
_Loader.add_constructor(_FLOAT, _Loader.construct_number)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_plainly)
_Loader.add_constructor("tag:yaml.org,2002:binary", _Loader.construct_bytes)
for _name in ("set", "omap", "pairs"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_name}", _Loader.construct_plainly)
for _lead in ("!", "tag:yaml.org,2002:"):
    _Loader.add_multi_constructor(_lead, lambda loader, suffix, node: loader.construct_plainly(node))


def load_yaml(body: bytes) -> Any:
    """Raises `NotYaml`, and 400 for what nests too deep."""
    try:
        if sum(map(body.count, (b"[", b"{", b"-", b"?"))) > DEEPEST:
            _refuse_deep_yaml(body)
        value = _first_document(body)
        if b"*" in body and _nodes(value, _MOST_NODES) <= 0:
            raise NotYaml("yaml: document contains excessive aliasing")
        return parse_json(orjson.dumps(go_numbers(value), default=str, option=orjson.OPT_NON_STR_KEYS))
    except yaml.reader.ReaderError:
        raise NotYaml("yaml: control characters are not allowed") from None
    except yaml.MarkedYAMLError as error:
        raise NotYaml(f"yaml: {_go_yaml_error(body, error)}") from None
    except (yaml.YAMLError, TypeError, RecursionError, orjson.JSONEncodeError) as error:
        # A value that JSON has no word for: a number beyond 64 bits, a list in itself, a key of a list.
        raise NotYaml(f"yaml: {error}") from None


def _first_document(body: bytes) -> Any:
    """What follows it is not looked at."""
    loader = _Loader(body)
    try:
        value = loader.get_data()
    finally:
        loader.dispose()
    if _UNSAYABLE.search(body) and (why := _unsayable(value)):
        raise NotYaml(why)
    return value


_UNSAYABLE = re.compile(rb"(?i)\.(inf|nan)|null *:|~ *:")


def _unsayable(value: Any) -> str:
    """Why JSON has no text for a value, in Go's words: a float beyond all numbers, a null for a key."""
    if isinstance(value, float) and not math.isfinite(value):
        shown = "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
        return f"json: unsupported value: {shown}"
    if isinstance(value, dict) and None in value:
        shown = orjson.dumps(value[None], default=str).decode()
        return f"unsupported map key of type: %!s(<nil>), key: <nil>, value: {shown}"
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next(filter(None, map(_unsayable, below)), "")


def keys_set_twice(body: bytes) -> list[str]:
    """`line N: key "x" already set in map`, one per member that occurs again; inner ones first."""
    try:
        return list(_set_twice(yaml.compose(body, Loader=_Loader)))
    except yaml.YAMLError:
        return []


def _set_twice(node: Any) -> Iterator[str]:
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _set_twice(one)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[tuple[str, str]] = set()
    for key, value in node.value:
        yield from _set_twice(value)
        mark = (key.tag, str(key.value))
        if mark in seen:
            yield f'line {value.start_mark.line + 1}: key "{key.value}" already set in map'
        seen.add(mark)


def _go_yaml_error(body: bytes, error: yaml.MarkedYAMLError) -> str:
    """The same finding in Go's words: the line is left out when it is the first."""
    problem = str(error.problem or error.context)
    if problem.startswith("found undefined alias"):
        return f"unknown anchor '{_alias(body, error)}' referenced"
    line = error.problem_mark.line if error.problem_mark else 0
    if line and isinstance(error, yaml.scanner.ScannerError):
        line += 1
    line = line or (error.context_mark.line if error.context_mark else 0)
    return f"line {line}: {problem}" if line else problem


def _alias(body: bytes, error: yaml.MarkedYAMLError) -> str:
    lines = body.decode(errors="replace").splitlines()
    mark = error.problem_mark
    named = re.match(r"\*(\w+)", lines[mark.line][mark.column :]) if mark and mark.line < len(lines) else None
    return named[1] if named else ""


def _refuse_deep_yaml(body: bytes) -> None:
    """Before it is loaded: the C loader calls itself for each level, without a bound but the end of the stack."""
    depth = 0
    for event in yaml.parse(body, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST + OWNERSHIP_LEVELS:
            raise bad_request(f"the object nests more than {DEEPEST} levels deep")


_MOST_NODES = 1_000_000
"""More than a body of the greatest size holds without aliases, few enough to be counted in a moment."""


def _nodes(value: Any, left: int) -> int:
    """What is left of `left` after each node, an aliased one each time, was counted; not above 0 when too many."""
    left -= 1
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in below:
        if left <= 0:
            return left
        left = _nodes(one, left)
    return left
