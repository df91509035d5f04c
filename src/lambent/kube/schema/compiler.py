"""Structural schema -> nested closures that default, prune and validate in one pass.

Each node of the schema becomes one function of the value: it answers None when all is well (the common case, with no
allocation) or a list of faults. An object node, in this order: drops null members that are not nullable, fills
defaults, walks the members, prunes those without schema, checks what is required. Junctors (anyOf, ...) only validate:
below them nothing is filled or cut. `$ref` is resolved against `definitions` (builtin kinds; recursion is fine).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from lambent.kube.schema.constraints import Check, array_checks, number_checks, object_checks, string_checks
from lambent.kube.schema.problems import (
    Fault,
    Mode,
    Problems,
    finish,
    junctor,
    not_supported,
    required,
    unknown,
    wrong_type,
)
from lambent.kube.schema.ratcheting import still_wrong
from lambent.kube.types import ObjectMeta

JsonSchema = Mapping[str, Any]

_KNOWN_METADATA = frozenset(ObjectMeta.__annotations__) | {"deletionGracePeriodSeconds", "selfLink"}


@dataclass(frozen=True, slots=True)
class Schema:
    """A compiled schema; `source` is the document it was made of."""

    source: JsonSchema
    definitions: Mapping[str, JsonSchema]
    _prune: Check
    _report: Check

    def admit(self, obj: Any, mode: Mode = "prune", *, old: Any = None) -> Problems:
        """Defaults, prunes and validates `obj` in place; "strict" reports unknown fields and leaves them.

        With the object as it was before, what is wrong and unchanged is not told.
        """
        faults = (self._report if mode == "strict" else self._prune)(obj)
        if faults and old is not None:
            faults = still_wrong(faults, self.source, obj, old, self._prune)
        return finish(faults) if faults else Problems()

    def fields(self, path: str = "") -> Mapping[str, JsonSchema]:
        """The declared members at a dotted path (list and map steps are passed through); {} when there are none."""
        node: JsonSchema = self._resolve(self.source)
        for part in filter(None, path.split(".")):
            node = self._resolve(self._element(node).get("properties", {}).get(part, {}))
        return dict(self._element(node).get("properties", {}))

    def _element(self, node: JsonSchema) -> JsonSchema:
        while "properties" not in node:
            below = node.get("items") or node.get("additionalProperties")
            if not isinstance(below, Mapping):
                return node
            node = self._resolve(below)
        return node

    def _resolve(self, node: JsonSchema) -> JsonSchema:
        return self.definitions[node["$ref"]] if "$ref" in node else node


def compile_schema(
    source: JsonSchema, *, definitions: Mapping[str, JsonSchema] | None = None, omits_empty: bool = False
) -> Schema:
    """Compiles a structural schema; raises KeyError for a `$ref` without definition.

    `omits_empty` drops empty lists and maps of optional members, as the structs of builtin kinds do when written.
    """
    known = definitions or {}
    prune = _Compiler(known, cut=True, omits_empty=omits_empty).node(source)
    return Schema(source, known, prune, _Compiler(known, cut=False, omits_empty=omits_empty).node(source))


def compile_judgement(source: JsonSchema) -> Callable[[Any], Problems]:
    """Only validates: fills no default, drops nothing, and a null is allowed only where the schema says so."""
    check = _Compiler({}, cut=False, pure=True).node(source)

    def judge(value: Any) -> Problems:
        faults = check(value)
        return finish(faults) if faults else Problems()

    return judge


class _Compiler:
    """One walk over a schema; `cut` removes unknown members, `pure` neither fills nor cuts nor reports them."""

    def __init__(
        self, definitions: Mapping[str, JsonSchema], *, cut: bool, pure: bool = False, omits_empty: bool = False
    ) -> None:
        self.definitions = definitions
        self.omits_empty = omits_empty
        self.cut = cut
        self.pure = pure
        self._named: dict[str, Check] = {}

    def node(self, schema: JsonSchema) -> Check:
        if "$ref" in schema:
            return self._reference(schema["$ref"])
        typed = self._typed(schema)
        checks = [typed] if typed is not None else []
        checks += self._junctors(schema)
        if schema.get("enum") is not None:
            checks.append(_enum(schema["enum"]))
            if schema.get("nullable"):
                return _nullable_enum(_all(checks), checks[-1])
        return _nullable(_all(checks), bool(schema.get("nullable")))

    def _reference(self, name: str) -> Check:
        """Late binding, so that a type may contain itself."""
        if name not in self._named:
            compiled: list[Check] = []

            def late(value: Any) -> list[Fault] | None:
                if not compiled:
                    compiled.append(self.node(self.definitions[name]))
                return compiled[0](value)

            self._named[name] = late
        return self._named[name]

    def _typed(self, schema: JsonSchema) -> Check | None:
        is_builtin = self.omits_empty  # only their schemas say it by the format
        if schema.get("x-kubernetes-int-or-string") or (is_builtin and schema.get("format") == "int-or-string"):
            return _int_or_string(schema)
        if not schema.get("type") and (kind := _implied(schema)) is not None:
            return _if_it_is(kind, self._object(schema) if kind is dict else self._array(schema))
        match schema.get("type"):
            case "object":
                return self._object(schema)
            case "array":
                return self._array(schema)
            case "string":
                return _typed_check(str, "string", string_checks(schema))
            case "integer":
                return _integer(number_checks(schema))
            case "number":
                return _number(number_checks(schema))
            case "boolean":
                return _typed_check(bool, "boolean", [])
            case _:
                return _all([*string_checks(schema), *number_checks(schema)]) if _has_bounds(schema) else None

    def _array(self, schema: JsonSchema) -> Check:
        item = self.node(schema["items"]) if isinstance(schema.get("items"), Mapping) else None
        checks = array_checks(schema)

        def check(value: Any) -> list[Fault] | None:
            if type(value) is not list:
                return [wrong_type(value, "array"), *_lost(value)]
            faults: list[Fault] | None = None
            if item is not None:
                for index, one in enumerate(value):
                    found = item(one)
                    if found:
                        faults = _placed(faults, found, f"[{index}]")
            for extra in checks:
                found = extra(value)
                if found:
                    faults = [*(faults or ()), *found]
            return faults

        return check

    def _object(self, schema: JsonSchema) -> Check:
        embedded = bool(schema.get("x-kubernetes-embedded-resource"))
        prepare = None if self.pure else _preparation(schema, omits_empty=self.omits_empty)
        walk = self._members(schema, embedded=embedded)
        needed = [*(schema.get("required") or ()), *(("apiVersion", "kind") if embedded else ())]
        checks = object_checks(schema)

        def check(value: Any) -> list[Fault] | None:
            if type(value) is not dict:
                return [wrong_type(value, "object"), *_lost(value)]
            if prepare is not None:
                prepare(value)
            faults = walk(value)
            for name in needed:
                if name not in value:
                    faults = [*(faults or ()), required(f".{name}")]
            for extra in checks:
                found = extra(value)
                if found:
                    faults = [*(faults or ()), *found]
            return faults

        return check

    def _members(self, schema: JsonSchema, *, embedded: bool) -> Check:
        declared: Mapping[str, JsonSchema] = schema.get("properties") or {}
        properties = {name: self.node(child) for name, child in declared.items()}
        if embedded:
            properties |= {"apiVersion": _text, "kind": _text, "metadata": self._metadata()}
        # Most members are scalars without bounds: for them a look at the type spares the call.
        plain = {name: kind for name, child in declared.items() if (kind := _plain_type(child)) is not None}
        others = schema.get("additionalProperties")
        rest = self.node(others) if isinstance(others, Mapping) and others else None
        rest_plain = _plain_type(others) if isinstance(others, Mapping) and not declared else None
        keeps = self.pure or others is True or others == {} or bool(schema.get("x-kubernetes-preserve-unknown-fields"))
        cut = self.cut

        def walk(value: dict[str, Any]) -> list[Fault] | None:
            faults: list[Fault] | None = None
            gone: list[str] | None = None
            for name, member in value.items():
                kind = type(member)
                if kind is rest_plain or plain.get(name) is kind:
                    continue
                check = properties.get(name) or rest
                if check is not None:
                    found = check(member)
                    if found:
                        faults = _placed(faults, found, f".{name}")
                elif not keeps:
                    faults = [*(faults or ()), unknown(f".{name}")]
                    gone = [*(gone or ()), name]
            if gone and cut:
                for name in gone:
                    del value[name]
            return faults

        return walk

    def _metadata(self) -> Check:
        cut = self.cut

        def check(value: Any) -> list[Fault] | None:
            if type(value) is not dict:
                return [wrong_type(value, "object")]
            gone = [name for name in value if name not in _KNOWN_METADATA]
            if cut:
                for name in gone:
                    del value[name]
            return [unknown(f".{name}") for name in gone] or None

        return check

    def _junctors(self, schema: JsonSchema) -> list[Check]:
        pure = self if self.pure else _Compiler(self.definitions, cut=False, pure=True)
        out: list[Check] = []
        for name in ("allOf", "anyOf", "oneOf"):
            if schema.get(name):
                out.append(_JUNCTORS[name]([pure.node(child) for child in schema[name]]))
        if schema.get("not") is not None:
            out.append(_none_of(pure.node(schema["not"])))
        return out


_SCALARS: dict[str, type] = {"string": str, "integer": int, "boolean": bool}
_BOUNDS = frozenset(
    (
        "enum",
        "pattern",
        "format",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "multipleOf",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
    )
)


def _plain_type(schema: JsonSchema) -> type | None:
    """The Python type that satisfies a schema by itself; None when more has to be looked at."""
    kind = schema.get("type")
    if kind == "integer" and schema.keys() & (_BOUNDS - {"format"}):
        return None
    if kind in ("string", "boolean") and schema.keys() & _BOUNDS:
        return None
    return None if schema.get("x-kubernetes-int-or-string") else _SCALARS.get(str(kind))


def _placed(faults: list[Fault] | None, found: list[Fault], segment: str) -> list[Fault]:
    for fault in found:
        fault.at.append(segment)
    return found if faults is None else [*faults, *found]


def _implied(schema: JsonSchema) -> type | None:
    """Below a junctor the type may be left out; members and items still mean an object or a list (if it is one)."""
    if schema.get("properties") or schema.get("required") or schema.get("x-kubernetes-embedded-resource"):
        return dict
    if schema.keys() & {"minProperties", "maxProperties"}:
        return dict
    return list if isinstance(schema.get("items"), Mapping) or schema.keys() & {"minItems", "maxItems"} else None


def _if_it_is(kind: type, check: Check) -> Check:
    return lambda value: check(value) if type(value) is kind else None


def _has_bounds(schema: JsonSchema) -> bool:
    return any(
        key in schema for key in ("pattern", "minLength", "maxLength", "minimum", "maximum", "format", "multipleOf")
    )


def _nullable(check: Check, nullable: bool) -> Check:
    if not nullable:
        return check
    return lambda value: None if value is None else check(value)


def _nullable_enum(check: Check, enum: Check) -> Check:
    """null has to be one of the listed values even where it is allowed."""
    return lambda value: enum(value) if value is None else check(value)


def _all(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check(value: Any) -> list[Fault] | None:
        faults: list[Fault] = []
        for one in checks:
            faults += one(value) or ()
        return faults or None

    return check


def _preparation(schema: JsonSchema, *, omits_empty: bool) -> Callable[[dict[str, Any]], None]:
    """Drops nulls that are not allowed, then fills absent members that have a default."""
    properties: Mapping[str, JsonSchema] = schema.get("properties") or {}
    drop_nulls = _null_dropper(schema)
    defaults = [(name, _maker(child["default"])) for name, child in properties.items() if "default" in child]
    omitted = _omitted(schema) if omits_empty else ()
    if not defaults and not omitted:
        return drop_nulls

    def prepare(value: dict[str, Any]) -> None:
        drop_nulls(value)
        for name, empty in omitted:
            if value.get(name, 0) == empty:
                del value[name]
        for name, make in defaults:
            if name not in value:
                value[name] = make()

    return prepare


def _null_dropper(schema: JsonSchema) -> Callable[[dict[str, Any]], None]:
    properties: Mapping[str, JsonSchema] = schema.get("properties") or {}
    may_be_null = frozenset(name for name, child in properties.items() if _allows_null(child))
    others = schema.get("additionalProperties")
    rest_null = _allows_null(others) if isinstance(others, Mapping) else True

    def drop(value: dict[str, Any]) -> None:
        if None in value.values():
            for name in [key for key, member in value.items() if member is None]:
                if name not in may_be_null and not (name not in properties and rest_null):
                    del value[name]

    return drop


def _omitted(schema: JsonSchema) -> tuple[tuple[str, Any], ...]:
    """Optional members that are lists or maps, with what is empty of them."""
    needed = schema.get("required") or ()
    properties: Mapping[str, JsonSchema] = schema.get("properties") or {}
    return tuple(
        (name, [] if child.get("type") == "array" else {})
        for name, child in properties.items()
        if name not in needed and (child.get("type") == "array" or "additionalProperties" in child)
    )


def _allows_null(schema: JsonSchema) -> bool:
    return bool(schema.get("nullable"))


def _maker(default: Any) -> Callable[[], Any]:
    if isinstance(default, (dict, list)):
        raw = orjson.dumps(default)
        return lambda: orjson.loads(raw)
    return lambda: default


def _typed_check(kind: type, name: str, checks: list[Check]) -> Check:
    if not checks:
        return lambda value: None if type(value) is kind else [wrong_type(value, name), *_lost(value)]
    inner = _all(checks)
    return lambda value: inner(value) if type(value) is kind else [wrong_type(value, name), *_lost(value)]


def _lost(value: Any) -> list[Fault]:
    """The members below a value that should have none: nothing declares them."""
    if type(value) is dict:
        return [unknown(f".{name}") for name in value]
    found: list[Fault] | None = None
    for index, one in enumerate(value if type(value) is list else ()):
        found = _placed(found, _lost(one), f"[{index}]")
    return found or []


_text = _typed_check(str, "string", [])


_LARGEST_WHOLE = 2**53 - 1
"""Above it a float no longer tells one integer from the next, and JSON schema takes it for none."""


def _is_whole(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer() and abs(value) <= _LARGEST_WHOLE)


def _integer(checks: list[Check]) -> Check:
    inner = _all(checks) if checks else None

    def check(value: Any) -> list[Fault] | None:
        if _is_whole(value):
            return inner(value) if inner is not None else None
        bounds = inner(value) if inner is not None and type(value) is float else None
        return [wrong_type(value, "integer"), *(bounds or ()), *_lost(value)]

    return check


def _number(checks: list[Check]) -> Check:
    inner = _all(checks)
    return lambda value: inner(value) if type(value) in (int, float) else [wrong_type(value, "number"), *_lost(value)]


def _int_or_string(schema: JsonSchema) -> Check:
    text, number = _all(string_checks(schema)), _all(number_checks(schema))

    def check(value: Any) -> list[Fault] | None:
        if type(value) is str:
            return text(value)
        if _is_whole(value):
            return number(value)
        return [wrong_type(value, "integer,string"), *_lost(value)]

    return check


def _enum(allowed: list[Any]) -> Check:
    """A number is turned into each listed number's type before it is compared, as kube-apiserver does: 2.5 is a 2."""
    known = {orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in allowed}
    texts = {one for one in allowed if type(one) is str}
    numbers = [one for one in allowed if type(one) in (int, float)]

    def check(value: Any) -> list[Fault] | None:
        if type(value) is str:
            found = value in texts
        elif type(value) in (int, float):
            found = any(type(one)(value) == one for one in numbers)
        else:
            found = orjson.dumps(value, option=orjson.OPT_SORT_KEYS) in known
        return None if found else [not_supported(value, allowed)]

    return check


def _hard(faults: list[Fault] | None) -> bool:
    return bool(faults) and any(not fault.unknown for fault in faults or ())


def _known(faults: list[Fault] | None) -> list[Fault]:
    return [fault for fault in faults or () if not fault.unknown]


def _any_of(children: list[Check]) -> Check:
    def check(value: Any) -> list[Fault] | None:
        first: list[Fault] | None = None
        for child in children:
            found = child(value)
            if not _hard(found):
                return None
            first = first or found
        return [junctor("must validate at least one schema (anyOf)"), *_known(first)]

    return check


def _one_of(children: list[Check]) -> Check:
    def check(value: Any) -> list[Fault] | None:
        answers = [child(value) for child in children]
        good = sum(not _hard(answer) for answer in answers)
        if good == 1:
            return None
        found = "none valid" if not good else f"{good} valid alternatives"
        text = f"must validate one and only one schema (oneOf). Found {found}"
        return [junctor(text), *(() if good else _known(answers[0]))]

    return check


def _all_of(children: list[Check]) -> Check:
    def check(value: Any) -> list[Fault] | None:
        found = [fault for child in children for fault in child(value) or () if not fault.unknown]
        return [*found, junctor("must validate all the schemas (allOf)")] if found else None

    return check


def _none_of(child: Check) -> Check:
    return lambda value: None if _hard(child(value)) else [junctor("must not validate the schema (not)")]


_JUNCTORS: dict[str, Callable[[list[Check]], Check]] = {"allOf": _all_of, "anyOf": _any_of, "oneOf": _one_of}
