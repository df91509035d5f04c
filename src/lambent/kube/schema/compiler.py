"""Structural schema -> nested closures that default, prune and validate in one pass.

Each node of the schema becomes one function of the value: it answers None when all is well (the common case, with no
allocation) or a list of faults. An object node, in this order: drops null members that are not nullable, fills
defaults, walks the members, prunes those without schema, checks what is required. Junctors (anyOf, ...) only validate:
below them nothing is filled or cut. `$ref` is resolved against `definitions` (builtin kinds; recursion is fine).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambent.kube.schema.constraints import Check, array_checks, number_checks, object_checks, string_checks
from lambent.kube.schema.formats import FORMATS
from lambent.kube.schema.junctors import JUNCTORS, none_of
from lambent.kube.schema.preparation import preparation
from lambent.kube.schema.problems import Fault, Mode, Problems, finish, required, unknown, wrong_type
from lambent.kube.schema.ratcheting import still_wrong
from lambent.kube.schema.scalars import (
    enumerated,
    every,
    formatted,
    int_or_string,
    integer,
    lost,
    number,
    placed,
    typed,
)
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


def compile_pruning(source: JsonSchema) -> Check:
    """Drops what a schema does not declare and nulls that it does not allow; fills no default."""
    return _Compiler({}, cut=True, fills=False).node(source)


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
        self,
        definitions: Mapping[str, JsonSchema],
        *,
        cut: bool,
        pure: bool = False,
        omits_empty: bool = False,
        fills: bool = True,
    ) -> None:
        self.definitions = definitions
        self.fills = fills
        self.omits_empty = omits_empty
        self.cut = cut
        self.pure = pure
        self._named: dict[str, Check] = {}

    def node(self, schema: JsonSchema) -> Check:
        if "$ref" in schema:
            return self._reference(schema["$ref"])
        own = self._typed(schema)
        checks = [own] if own is not None else []
        checks += self._junctors(schema)
        if schema.get("enum") is not None:
            checks.append(enumerated(schema["enum"]))
            if schema.get("nullable"):
                return _nullable_enum(every(checks), checks[-1])
        return _nullable(every(checks), bool(schema.get("nullable")))

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
            return int_or_string(schema, cut=self.cut)
        if not schema.get("type") and (kind := _implied(schema)) is not None:
            return _if_it_is(kind, self._object(schema) if kind is dict else self._array(schema))
        match schema.get("type"):
            case "object":
                return self._object(schema)
            case "array":
                return self._array(schema)
            case "string":
                if schema.get("format") not in FORMATS or self.omits_empty:
                    return typed(str, "string", string_checks(schema), cut=self.cut)
                return formatted(schema, cut=self.cut)
            case "integer":
                return integer(number_checks(schema), cut=self.cut)
            case "number":
                return number(number_checks(schema), cut=self.cut)
            case "boolean":
                return typed(bool, "boolean", [], cut=self.cut)
            case _:
                return every([*string_checks(schema), *number_checks(schema)]) if _has_bounds(schema) else None

    def _array(self, schema: JsonSchema) -> Check:
        item = self.node(schema["items"]) if isinstance(schema.get("items"), Mapping) else None
        checks = array_checks(schema)
        cut = self.cut

        def check(value: Any) -> list[Fault] | None:
            if type(value) is not list:
                return [wrong_type(value, "array"), *lost(value, cut=cut)]
            faults: list[Fault] | None = None
            if item is not None:
                for index, one in enumerate(value):
                    found = item(one)
                    if found:
                        faults = placed(faults, found, f"[{index}]")
            for extra in checks:
                found = extra(value)
                if found:
                    faults = [*(faults or ()), *found]
            return faults

        return check

    def _object(self, schema: JsonSchema) -> Check:
        embedded = bool(schema.get("x-kubernetes-embedded-resource"))
        prepare = None if self.pure else preparation(schema, omits_empty=self.omits_empty, fills=self.fills)
        walk = self._members(schema, embedded=embedded)
        needed = [*(schema.get("required") or ()), *(("apiVersion", "kind") if embedded else ())]
        checks = object_checks(schema)
        cut = self.cut

        def check(value: Any) -> list[Fault] | None:
            if type(value) is not dict:
                return [wrong_type(value, "object"), *lost(value, cut=cut)]
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
            plain_text = typed(str, "string", [], cut=self.cut)
            judge = _Compiler({}, cut=False, pure=True)
            for name, own in {"apiVersion": plain_text, "kind": plain_text, "metadata": self._metadata()}.items():
                properties[name] = every([own, judge.node(declared[name])]) if name in declared else own
        # Most members are scalars without bounds: for them a look at the type spares the call.
        plain = {name: kind for name, child in declared.items() if (kind := _plain_type(child)) is not None}
        others = schema.get("additionalProperties")
        rest = self.node(others) if isinstance(others, Mapping) and others else None
        rest_plain = _plain_type(others) if isinstance(others, Mapping) and not declared else None
        if others is True and not self.pure and not self.omits_empty:
            rest = self._undeclared  # what is below undeclared members has no schema, though they are kept
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
                        key = None if name in properties else f"[{name}]"
                        faults = placed(faults, found, f".{name}", key=key)
                elif not keeps:
                    faults = [*(faults or ()), unknown(f".{name}")]
                    gone = [*(gone or ()), name]
            if gone and cut:
                for name in gone:
                    del value[name]
            return faults

        return walk

    def _undeclared(self, value: Any) -> list[Fault] | None:
        return lost(value, cut=self.cut) or None

    def _metadata(self) -> Check:
        cut = self.cut

        def check(value: Any) -> list[Fault] | None:
            if type(value) is not dict:
                return [wrong_type(value, "object")]
            gone = [name for name in value if name not in _KNOWN_METADATA]
            if cut:
                for name in gone:
                    del value[name]
            return [unknown(f".{name}", keyed=True) for name in gone] or None

        return check

    def _junctors(self, schema: JsonSchema) -> list[Check]:
        pure = self if self.pure else _Compiler(self.definitions, cut=False, pure=True)
        out: list[Check] = []
        for name in ("allOf", "anyOf", "oneOf"):
            if schema.get(name):
                out.append(JUNCTORS[name]([pure.node(child) for child in schema[name]]))
        if schema.get("not") is not None:
            out.append(none_of(pure.node(schema["not"])))
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
