"""Writes `schemas.json`, `protobuf.json` and `types.json` beside this file from the published Kubernetes sources.

Run once per Kubernetes release, by hand:

    python -m lambent.kubeserver.builtin.generate MODULE_CACHE 1.34.4

where MODULE_CACHE holds the Go modules k8s.io/kubernetes (its OpenAPI v3 documents: fields, types, defaults, list and
merge keys) and k8s.io/api, k8s.io/apimachinery, k8s.io/kube-aggregator (their generated.proto: field numbers; their
types: the names of Go's types, which a refused body is told, and what Go takes for empty) of that release.
Descriptions are left out. Not used at run time.
"""

import re
import sys
from pathlib import Path
from typing import Any

import orjson

_DOCUMENTS = (
    "api__v1",
    "apis__apps__v1",
    "apis__batch__v1",
    "apis__autoscaling__v1",
    "apis__autoscaling__v2",
    "apis__networking.k8s.io__v1",
    "apis__policy__v1",
    "apis__discovery.k8s.io__v1",
    "apis__coordination.k8s.io__v1",
    "apis__events.k8s.io__v1",
    "apis__rbac.authorization.k8s.io__v1",
    "apis__apiextensions.k8s.io__v1",
    "apis__apiregistration.k8s.io__v1",
    "apis__authentication.k8s.io__v1",
    "apis__authorization.k8s.io__v1",
)
_ROOTS = {
    "": "Namespace ConfigMap Secret ServiceAccount Event Pod Service PersistentVolumeClaim Binding",
    "apps": "Deployment ReplicaSet StatefulSet DaemonSet",
    "batch": "Job",
    "autoscaling": "HorizontalPodAutoscaler Scale",
    "networking.k8s.io": "NetworkPolicy",
    "policy": "PodDisruptionBudget Eviction",
    "discovery.k8s.io": "EndpointSlice",
    "coordination.k8s.io": "Lease",
    "events.k8s.io": "Event",
    "rbac.authorization.k8s.io": "Role ClusterRole RoleBinding ClusterRoleBinding",
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "authentication.k8s.io": "TokenReview TokenRequest SelfSubjectReview",
    "authorization.k8s.io": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview "
    "LocalSubjectAccessReview",
}
_KEPT = (
    "type",
    "format",
    "default",
    "enum",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-int-or-string",
    "x-kubernetes-group-version-kind",
)
_PREFIX = "#/components/schemas/"
_FIELD = re.compile(r"^\s*(optional|repeated|required)?\s*(map<[^>]+>|[\w.]+)\s+(\w+)\s*=\s*(\d+)\s*;")
_MESSAGE = re.compile(r"^message (\w+) \{")
_PACKAGE = re.compile(r"^package ([\w.]+);")


def trim(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without descriptions; a lone `allOf: [$ref]` becomes the reference."""
    out = {key: schema[key] for key in _KEPT if key in schema}
    whole = schema.get("allOf")
    ref = schema.get("$ref") or (whole[0].get("$ref") if whole else None)
    if ref:
        out["$ref"] = ref.removeprefix(_PREFIX)
    if "properties" in schema:
        needed = schema.get("required", ())
        out["properties"] = {name: _member(trim(child), name in needed) for name, child in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            out[key] = _member(trim(schema[key]), True)
    if out.get("type") == "object" and not out.keys() & {"properties", "additionalProperties"}:
        out["x-kubernetes-preserve-unknown-fields"] = True
    return out


def _member(schema: dict[str, Any], needed: bool) -> dict[str, Any]:
    """Without the defaults that only say what Go's zero value is; `{}` of an optional struct is what Go writes."""
    default = schema.get("default")
    is_zero = default in ("", 0, False) or (
        default == {} and (needed or schema.get("$ref", "").endswith(".ObjectMeta"))
    )
    if "default" in schema and is_zero:
        del schema["default"]
    return schema


def references(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        own = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
        return own.union(*(references(child) for child in schema.values()))
    return set()


def schemas(root: Path) -> dict[str, Any]:
    """Every type reachable from the kinds served."""
    every: dict[str, Any] = {}
    for name in _DOCUMENTS:
        every |= orjson.loads((root / f"{name}_openapi.json").read_bytes())["components"]["schemas"]
    wanted = {(group, kind) for group, kinds in _ROOTS.items() for kind in kinds.split()}
    todo = [
        name
        for name, schema in every.items()
        if any(
            (gvk["group"], gvk["kind"]) in wanted and len(schema["x-kubernetes-group-version-kind"]) == 1
            for gvk in schema.get("x-kubernetes-group-version-kind", ())
        )
    ]
    found: dict[str, Any] = {}
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = trim(every[name])
            todo += references(found[name])
    return dict(sorted(found.items()))


def messages(path: Path) -> dict[str, Any]:
    """`package.Message` -> field number -> [name, type, is a list]."""
    package, current = "", ""
    out: dict[str, Any] = {}
    for line in path.read_text().splitlines():
        if match := _PACKAGE.match(line):
            package = match[1]
        elif match := _MESSAGE.match(line):
            current = f"{package}.{match[1]}"
            out[current] = {}
        elif current and (match := _FIELD.match(line)):
            kind = match[2] if match[2].startswith("map<") or "." in match[2] else _local(match[2], package)
            out[current][match[4]] = [match[3], kind.lstrip("."), match[1] == "repeated"]
    return out


def _local(kind: str, package: str) -> str:
    return f"{package}.{kind}" if kind[0].isupper() else kind


def protobuf(roots: list[Path]) -> dict[str, Any]:
    every: dict[str, Any] = {}
    for root in roots:
        for path in sorted(root.rglob("generated.proto")):
            every |= messages(path)
    served = {f"k8s.io.api.{group}.v1.{kind}" for group, kinds in _PROTOBUF.items() for kind in kinds.split()} | {
        "k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions",
        "k8s.io.api.autoscaling.v2.HorizontalPodAutoscaler",
    }
    todo, found = list(served), {}
    while todo:
        name = todo.pop()
        if name in found or name not in every:
            continue
        found[name] = every[name]
        for _, kind, _many in every[name].values():
            todo += [part.strip().lstrip(".") for part in kind.removeprefix("map<").rstrip(">").split(",")]
    return dict(sorted(found.items()))


_PROTOBUF = {
    "core": "ConfigMap Secret Namespace ServiceAccount Service Pod PersistentVolumeClaim Event",
    "apps": "Deployment ReplicaSet StatefulSet DaemonSet",
    "batch": "Job",
    "rbac": "Role RoleBinding ClusterRole ClusterRoleBinding",
    "authentication": "TokenRequest SelfSubjectReview TokenReview",
    "authorization": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    "coordination": "Lease",
    "policy": "PodDisruptionBudget Eviction",
    "networking": "NetworkPolicy",
    "autoscaling": "HorizontalPodAutoscaler Scale",
}


_STRUCT = re.compile(r"^type (\w+) struct \{")
_MEMBER = re.compile(r'^\t(?:\w+\s+)?(\S+)\s+`json:"(\w*)([^"]*)"')
Member = tuple[str, str]  # Go's type and the options of its JSON tag


def go_members(path: Path) -> dict[str, dict[str, Member]]:
    """Struct -> member -> what Go's encoder goes by; an embedded struct stands under its own name, with a dot."""
    current = ""
    out: dict[str, dict[str, Member]] = {}
    for line in path.read_text().splitlines():
        if match := _STRUCT.match(line):
            current = match[1]
        elif line == "}":
            current = ""
        elif current and (match := _MEMBER.match(line)):
            name = match[2] or (f".{match[1]}" if "inline" in match[3] else "")
            if name:
                out.setdefault(current, {})[name] = (match[1], match[3])
    return out


def _flat(structs: dict[str, dict[str, Member]], name: str) -> dict[str, Member]:
    """With the members of embedded structs."""
    out: dict[str, Member] = {}
    for member, found in structs.get(name, {}).items():
        out |= _flat(structs, member[1:]) if member.startswith(".") else {member: found}
    return out


def members_of(modules: list[Path], spec: dict[str, Any]) -> dict[str, dict[str, Member]]:
    """Schema -> member -> Go's type and tag."""
    found: dict[str, dict[str, dict[str, Member]]] = {}
    for module in modules:
        for path in sorted(module.rglob("*.go")):
            if path.parent.name.startswith("v") and path.name in ("types.go", "generated.types.go"):
                found.setdefault(f"{path.parent.parent.name}.{path.parent.name}", {}).update(go_members(path))
    out = {}
    for name, schema in spec.items():
        package, _, struct = name.rpartition(".")
        known = _flat(found.get(".".join(package.split(".")[-2:]), {}), struct)
        declared = schema.get("properties") or {}
        out[name] = {member: known[member] for member in known if member in declared}
    return out


def types(members: dict[str, dict[str, Member]], spec: dict[str, Any]) -> dict[str, dict[str, str]]:
    """For each schema the members whose Go type does not follow from the schema itself."""
    out: dict[str, dict[str, str]] = {}
    for name, known in members.items():
        version = name.split(".")[-2]
        named = {
            member: _qualified(kind, version)
            for member, (kind, _options) in known.items()
            if not _has_struct(spec[name]["properties"][member]) and _has_name(kind)
        }
        if named:
            out[name] = named
    return out


def _has_name(kind: str) -> bool:
    bare = kind.removeprefix("*").removeprefix("[]")
    return "." in bare or bare[0].isupper()


def _qualified(kind: str, version: str) -> str:
    kind = kind.removeprefix("*")
    bare = kind.removeprefix("[]")
    return kind if "." in bare else f"{kind[: len(kind) - len(bare)]}{version}.{bare}"


def pointers(members: dict[str, dict[str, Member]]) -> dict[str, list[str]]:
    """Schema -> the members that Go holds by a pointer, [] of one that has none: of these alone an empty value is not
    an absent one.
    """
    return {
        name: [member for member, (kind, _options) in known.items() if kind.startswith("*")]
        for name, known in members.items()
        if known
    }


def always(members: dict[str, dict[str, Member]], spec: dict[str, Any]) -> dict[str, list[str]]:
    """Schema -> the members that Go writes even when they are empty: structs, and what has no `omitempty`."""

    def is_written(kind: str, options: str, schema: dict[str, Any]) -> bool:
        if "omitzero" in options:
            return False
        is_struct = "$ref" in schema and not kind.startswith(("*", "[", "map["))
        return is_struct or "omitempty" not in options

    found = {
        name: [
            member
            for member, (kind, options) in known.items()
            if is_written(kind, options, spec[name]["properties"][member])
        ]
        for name, known in members.items()
    }
    return {name: listed for name, listed in found.items() if listed}


def order(members: dict[str, dict[str, Member]], proto: dict[str, Any]) -> dict[str, list[str]]:
    """Schema -> its members in the order of Go's struct, where that is not the order of the field numbers."""
    out = {}
    for name, known in members.items():
        numbers = proto.get(f"k8s.io.{name.removeprefix('io.k8s.')}", {})
        numbered = [numbers[number][0] for number in sorted(numbers, key=int) if numbers[number][0] in known]
        if numbered and numbered != [*known]:
            out[name] = [*known]
    return out


def _has_struct(schema: dict[str, Any]) -> bool:
    return "$ref" in schema or "$ref" in (schema.get("items") or {})


def main(cache: str, release: str) -> None:
    here, modules = Path(__file__).parent, Path(cache) / "k8s.io"
    library = f"v0.{release.partition('.')[2]}"
    spec = schemas(modules / f"kubernetes@v{release}" / "api" / "openapi-spec" / "v3")
    proto = protobuf([modules / f"api@{library}", modules / f"apimachinery@{library}"])
    members = members_of([modules / f"{name}@{library}" for name in ("api", "apimachinery", "kube-aggregator")], spec)
    named: dict[str, Any] = {
        "types": types(members, spec),
        "pointers": pointers(members),
        "always": always(members, spec),
    }
    named["order"] = order(members, proto)
    (here / "types.json").write_bytes(orjson.dumps({"release": release, **named}))
    (here / "schemas.json").write_bytes(orjson.dumps({"release": release, "schemas": spec}))
    (here / "protobuf.json").write_bytes(orjson.dumps({"release": release, "messages": proto}))


if __name__ == "__main__":
    main(*sys.argv[1:3])
