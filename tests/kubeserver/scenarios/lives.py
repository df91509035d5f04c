"""Definitions, namespaces, deletion, lists, watches, reviews and builtin kinds."""

from typing import Any

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import (
    CMS,
    CRDS,
    GROUP,
    INTEGER,
    NS,
    PARTIAL,
    STRING,
    TABLE,
    config_map,
    custom,
    definition,
    delete,
    drop,
    get,
    gone,
    holds,
    need,
    objects,
    patch,
    post,
    put,
    served,
)

PLAIN = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"n": INTEGER, "s": STRING}}}}


def _crd(say: str, change: Any = None, schema: Any = None, **more: Any) -> Step:
    """A definition with something wrong; asked as a dry run."""
    crd = definition("Odd", PLAIN if schema is None else schema, **more)
    if change:
        change(crd)
    return post(f"{CRDS}?dryRun=All", crd, say, pick=["spec", "status"])


def _set(path: str, value: Any) -> Any:
    def change(crd: Any) -> None:
        *parents, last = path.split(".")
        for part in parents:
            crd = crd[int(part)] if part.isdigit() else crd[part]
        if value is None:
            del crd[last]
        else:
            crd[last] = value

    return change


def _spec(schema: Any) -> Any:
    return {"type": "object", "properties": {"spec": schema}}


TABLED = definition(
    "Tabled",
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "n": INTEGER,
                    "s": STRING,
                    "b": {"type": "boolean"},
                    "f": {"type": "number"},
                    "l": {"type": "array", "items": STRING},
                    "o": {"type": "object", "properties": {"x": INTEGER}},
                    "d": {"type": "string", "format": "date-time"},
                },
            }
        },
    },
    additionalPrinterColumns=[
        {"name": "N", "type": "integer", "jsonPath": ".spec.n", "description": "how many"},
        {"name": "S", "type": "string", "jsonPath": ".spec.s"},
        {"name": "B", "type": "boolean", "jsonPath": ".spec.b"},
        {"name": "F", "type": "number", "jsonPath": ".spec.f", "format": "double"},
        {"name": "L", "type": "string", "jsonPath": ".spec.l"},
        {"name": "L0", "type": "string", "jsonPath": ".spec.l[0]"},
        {"name": "LS", "type": "string", "jsonPath": ".spec.l[*]"},
        {"name": "O", "type": "string", "jsonPath": ".spec.o", "priority": 1},
        {"name": "NS", "type": "string", "jsonPath": ".spec.n"},
        {"name": "Wrong", "type": "integer", "jsonPath": ".spec.s"},
        {"name": "When", "type": "date", "jsonPath": ".spec.d"},
        {"name": "Label", "type": "string", "jsonPath": ".metadata.labels.a\\.b/c"},
    ],
    selectableFields=[{"jsonPath": ".spec.n"}, {"jsonPath": ".spec.s"}, {"jsonPath": ".spec.b"}],
)
TABLEDS = objects("Tabled")
HELD = definition("Held", PLAIN)
HELDS = objects("Held")
SPACE = "/api/v1/namespaces/same-end"

GROUPS: dict[str, list[Step]] = {
    "definitions": [
        _crd("no group", _set("spec.group", None)),
        _crd("no names", _set("spec.names", None)),
        _crd("no kind", _set("spec.names.kind", None)),
        _crd("no plural", _set("spec.names.plural", None)),
        _crd("no versions", _set("spec.versions", [])),
        _crd("no scope", _set("spec.scope", None)),
        _crd("bad kind", _set("spec.names.kind", "odd thing")),
        _crd("bad plural", _set("spec.names.plural", "Odds")),
        _crd("kind equals list kind", _set("spec.names.listKind", "Odd")),
        _crd("short name twice", _set("spec.names.shortNames", ["a", "a"])),
        _crd("bad short name", _set("spec.names.shortNames", ["A B"])),
        _crd("bad category", _set("spec.names.categories", ["A B"])),
        _crd("bad version name", _set("spec.versions.0.name", "V1")),
        _crd("no storage version", _set("spec.versions.0.storage", False)),
        _crd("not served", _set("spec.versions.0.served", False)),
        _crd(
            "version without storage",
            lambda c: c["spec"]["versions"].append(
                {"name": "v2", "served": True, "schema": {"openAPIV3Schema": PLAIN}}
            ),
        ),
        _crd(
            "two storage versions", lambda c: c["spec"]["versions"].append({**c["spec"]["versions"][0], "name": "v2"})
        ),
        _crd("version twice", lambda c: c["spec"]["versions"].append({**c["spec"]["versions"][0], "storage": False})),
        _crd("webhook conversion without client", _set("spec.conversion", {"strategy": "Webhook"})),
        _crd("unknown conversion", _set("spec.conversion", {"strategy": "Magic"})),
        _crd("preserveUnknownFields", _set("spec.preserveUnknownFields", True)),
        _crd("group without dot", group="odd"),
        _crd("protected group", group="odd.k8s.io"),
        _crd("root is no object", schema={"type": "string"}),
        _crd("root without type", schema={"properties": {"spec": {"type": "object"}}}),
        _crd("type missing", schema=_spec({"properties": {"n": INTEGER}})),
        _crd("unknown type", schema=_spec({"type": "thing"})),
        _crd("array without items", schema=_spec({"type": "array"})),
        _crd(
            "properties and additionalProperties",
            schema=_spec({"type": "object", "properties": {"a": STRING}, "additionalProperties": STRING}),
        ),
        _crd("additionalProperties false", schema=_spec({"type": "object", "additionalProperties": False})),
        _crd("uniqueItems", schema=_spec({"type": "array", "uniqueItems": True, "items": STRING})),
        _crd("$ref", schema=_spec({"$ref": "#/x"})),
        _crd("bad pattern", schema=_spec({"type": "string", "pattern": "["})),
        _crd("type in a junctor", schema=_spec({"type": "object", "anyOf": [{"type": "object"}]})),
        _crd(
            "property in a junctor only",
            schema=_spec({"type": "object", "anyOf": [{"properties": {"a": {"minimum": 1}}}]}),
        ),
        _crd(
            "default of a wrong type",
            schema=_spec({"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}}),
        ),
        _crd(
            "default outside the bounds",
            schema=_spec({"type": "object", "properties": {"a": {"type": "integer", "default": 5, "maximum": 3}}}),
        ),
        _crd(
            "default with unknown fields",
            schema=_spec({"type": "object", "default": {"zz": 1}, "properties": {"a": INTEGER}}),
        ),
        _crd(
            "default below a junctor",
            schema=_spec(
                {"type": "object", "properties": {"a": INTEGER}, "anyOf": [{"properties": {"a": {"default": 1}}}]}
            ),
        ),
        _crd(
            "default null", schema=_spec({"type": "object", "properties": {"a": {"type": "integer", "default": None}}})
        ),
        _crd(
            "list-map-keys without map",
            schema=_spec({"type": "array", "items": STRING, "x-kubernetes-list-map-keys": ["a"]}),
        ),
        _crd(
            "map without keys",
            schema=_spec(
                {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "items": {"type": "object", "properties": {"a": STRING}},
                }
            ),
        ),
        _crd(
            "map key unknown",
            schema=_spec(
                {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["b"],
                    "items": {"type": "object", "properties": {"a": STRING}},
                }
            ),
        ),
        _crd(
            "map key optional",
            schema=_spec(
                {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["a"],
                    "items": {"type": "object", "properties": {"a": STRING}},
                }
            ),
        ),
        _crd(
            "map of texts",
            schema=_spec(
                {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"], "items": STRING}
            ),
        ),
        _crd(
            "set of objects",
            schema=_spec(
                {
                    "type": "array",
                    "x-kubernetes-list-type": "set",
                    "items": {"type": "object", "properties": {"a": STRING}},
                }
            ),
        ),
        _crd("unknown list type", schema=_spec({"type": "array", "x-kubernetes-list-type": "bag", "items": STRING})),
        _crd("list type of a text", schema=_spec({"type": "string", "x-kubernetes-list-type": "set"})),
        _crd(
            "unknown map type",
            schema=_spec({"type": "object", "x-kubernetes-map-type": "bag", "additionalProperties": STRING}),
        ),
        _crd("int-or-string with type", schema=_spec({"type": "string", "x-kubernetes-int-or-string": True})),
        _crd("embedded without properties", schema=_spec({"type": "object", "x-kubernetes-embedded-resource": True})),
        _crd("preserve false", schema=_spec({"type": "object", "x-kubernetes-preserve-unknown-fields": False})),
        _crd("unknown format", schema=_spec({"type": "string", "format": "zz"})),
        _crd(
            "metadata in the schema",
            schema={
                "type": "object",
                "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}},
            },
        ),
        _crd(
            "metadata.name in the schema",
            schema={
                "type": "object",
                "properties": {
                    "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}
                },
            },
        ),
        _crd("unknown keyword", schema=_spec({"type": "string", "zzz": 1})),
        _crd("column without path", additionalPrinterColumns=[{"name": "A", "type": "string"}]),
        _crd("column without dot", additionalPrinterColumns=[{"name": "A", "type": "string", "jsonPath": "spec.n"}]),
        _crd(
            "column of unknown type", additionalPrinterColumns=[{"name": "A", "type": "thing", "jsonPath": ".spec.n"}]
        ),
        _crd(
            "column of unknown format",
            additionalPrinterColumns=[{"name": "A", "type": "integer", "format": "zz", "jsonPath": ".spec.n"}],
        ),
        _crd(
            "column of a broken path",
            additionalPrinterColumns=[{"name": "A", "type": "string", "jsonPath": ".spec[?("}],
        ),
        _crd("column without name", additionalPrinterColumns=[{"type": "string", "jsonPath": ".spec.n"}]),
        _crd("scale without paths", subresources={"scale": {}}),
        _crd(
            "scale outside spec",
            subresources={"scale": {"specReplicasPath": ".status.n", "statusReplicasPath": ".spec.n"}},
        ),
        _crd(
            "scale of a bad path",
            subresources={"scale": {"specReplicasPath": "spec.n", "statusReplicasPath": ".status.n[0]"}},
        ),
        _crd("selectable of an array", selectableFields=[{"jsonPath": ".spec"}]),
        _crd("selectable unknown", selectableFields=[{"jsonPath": ".spec.zz"}]),
        _crd("selectable metadata", selectableFields=[{"jsonPath": ".metadata.name"}]),
        _crd("selectable twice", selectableFields=[{"jsonPath": ".spec.n"}, {"jsonPath": ".spec.n"}]),
        _crd("deprecationWarning alone", deprecationWarning="old"),
        _crd("fine"),
        post(f"{CRDS}?fieldValidation=Strict&dryRun=All", {**definition("Odd", PLAIN), "zz": 1}, "strict"),
    ],
    "definition changes": [
        *need(HELD),
        get(f"{CRDS}/helds.{GROUP}", "as stored"),
        patch(f"{CRDS}/helds.{GROUP}", {"spec": {"group": "other.dev"}}, "group is immutable"),
        patch(f"{CRDS}/helds.{GROUP}", {"spec": {"scope": "Cluster"}}, "scope is immutable"),
        patch(f"{CRDS}/helds.{GROUP}", {"spec": {"names": {"kind": "Other"}}}, "kind is immutable"),
        patch(f"{CRDS}/helds.{GROUP}", {"spec": {"names": {"plural": "others"}}}, "plural is immutable"),
        put(f"{CRDS}/helds.{GROUP}", HELD, "put without version"),
        post(
            CRDS,
            definition("Held", PLAIN, names={"plural": "helder", "singular": "helder"})
            | {"metadata": {"name": f"helder.{GROUP}"}},
            "kind taken",
            only="code",
        ),
        {"sleep": 1.5},
        get(f"{CRDS}/helder.{GROUP}", "names are not accepted", pick=["status"]),
        get(f"/apis/{GROUP}/v1/namespaces/{NS}/helder", "not served"),
        delete(f"{CRDS}/helder.{GROUP}", "drop it"),
        post(CRDS, definition("Short", PLAIN, names={"shortNames": ["helds"]}), "short name taken", only="code"),
        {"sleep": 1.5},
        get(f"{CRDS}/shorts.{GROUP}", "short name is not accepted", pick=["status"]),
        delete(f"{CRDS}/shorts.{GROUP}", "drop that"),
        gone(f"{CRDS}/shorts.{GROUP}"),
        post(HELDS, custom("Held", "h", {"n": 1}, meta={"finalizers": ["x.y/z"]}), "one that holds"),
        delete(f"{CRDS}/helds.{GROUP}", "delete while one holds"),
        {"sleep": 2.0},
        get(
            f"{CRDS}/helds.{GROUP}", "terminating", pick=["metadata.finalizers", "metadata.deletionTimestamp", "status"]
        ),
        get(f"{HELDS}/h", "still there"),
        post(HELDS, custom("Held", "i", {"n": 1}), "no new ones"),
        patch(f"{HELDS}/h", {"spec": {"n": 2}}, "changes are allowed", only="code"),
        post(CRDS, HELD, "the name is still taken"),
        patch(f"{HELDS}/h", {"metadata": {"finalizers": None}}, "let go", only="code"),
        gone(f"{CRDS}/helds.{GROUP}"),
        get(f"{CRDS}/helds.{GROUP}", "gone"),
        get(f"{HELDS}", "no longer served"),
    ],
    "versions": [
        post(
            CRDS,
            definition("Old", PLAIN, deprecated=True)
            | {
                "spec": definition("Old", PLAIN)["spec"]
                | {
                    "versions": [
                        {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": PLAIN}},
                        {
                            "name": "v1beta1",
                            "served": True,
                            "storage": False,
                            "deprecated": True,
                            "schema": {"openAPIV3Schema": _spec({"type": "object", "properties": {"s": STRING}})},
                        },
                        {
                            "name": "v1alpha1",
                            "served": True,
                            "storage": False,
                            "deprecated": True,
                            "deprecationWarning": "use v1",
                            "schema": {"openAPIV3Schema": PLAIN},
                        },
                        {"name": "v0", "served": False, "storage": False, "schema": {"openAPIV3Schema": PLAIN}},
                    ]
                }
            },
            "define",
            only="code",
        ),
        holds(f"{CRDS}/olds.{GROUP}", "Established"),
        served(objects("Old")),
        {"sleep": 0.5},
        get(f"/apis/{GROUP}", "group", pick=["versions", "preferredVersion"]),
        post(objects("Old"), custom("Old", "o", {"n": 1, "s": "x"}), "create in v1"),
        get(objects("Old").replace("v1", "v1beta1") + "/o", "read in v1beta1"),
        get(objects("Old").replace("v1", "v1alpha1") + "/o", "read in v1alpha1"),
        get(objects("Old").replace("v1", "v0") + "/o", "read in v0"),
        get(objects("Old").replace("v1", "v1beta1"), "list in v1beta1"),
        patch(objects("Old").replace("v1", "v1beta1") + "/o", {"spec": {"s": "y"}}, "patch in v1beta1", managed=True),
        get(objects("Old") + "/o", "back in v1", managed=True),
        post(objects("Old"), {**custom("Old", "q", {}), "apiVersion": f"{GROUP}/v1beta1"}, "version differs"),
        delete(objects("Old") + "/o", "delete"),
        delete(f"{CRDS}/olds.{GROUP}", only="code"),
        gone(f"{CRDS}/olds.{GROUP}"),
    ],
    "tables": [
        *need(TABLED),
        post(
            TABLEDS,
            custom(
                "Tabled",
                "a",
                {"n": 1, "s": "x", "b": True, "f": 1.5, "l": ["p", "q"], "o": {"x": 1}, "d": "2020-01-01T00:00:00Z"},
                meta={"labels": {"a.b/c": "lab"}},
            ),
            only="code",
        ),
        post(TABLEDS, custom("Tabled", "b", {}), only="code"),
        post(TABLEDS, custom("Tabled", "c", {"n": 0, "s": "", "b": False, "f": 2, "l": []}), only="code"),
        get(TABLEDS, "table", headers=TABLE, pick=[]),
        *(
            get(f"{TABLEDS}?fieldSelector={selector}", selector, headers=TABLE)
            for selector in (
                "spec.n%3D1",
                "spec.n!%3D1",
                "spec.s%3Dx",
                "spec.s%3D",
                "spec.b%3Dtrue",
                "spec.b%3Dfalse",
                "metadata.name%3Da",
                "metadata.namespace%3Dsame",
                "spec.zz%3D1",
                "spec.n",
                "metadata.name%3D%3Db,spec.s%3D",
            )
        ),
        get(f"{TABLEDS}?includeObject=Nope", "bad includeObject", headers=TABLE),
        get(f"{TABLEDS}/a", "partial", headers=PARTIAL),
        get(CRDS + f"?fieldSelector=metadata.name%3Dtableds.{GROUP}", "definitions", headers=TABLE),
        get(f"{CMS}/none", "error as table", headers=TABLE),
        delete(TABLEDS, "delete all", headers=TABLE, only="code"),
        *drop(TABLED),
    ],
    "lists": [
        *(
            post(CMS, config_map(f"l{i}", {"i": str(i)}, labels={"n": str(i), "set": "yes"}), only="code")
            for i in range(4)
        ),
        *(
            get(f"{CMS}?labelSelector={selector}", selector, headers=TABLE)
            for selector in (
                "set",
                "!set,n",
                "n%3E1",
                "n%3C2,set",
                "n%20in%20(1,2)",
                "n%20notin%20(1),set",
                "n%3D%3D1",
                "n!%3D1,set",
                "n%20in%20()",
                "n%20in%201",
                "n%3E%3E1",
                "a%20b",
                "n%3Dbad%20value",
                "n%3E1.5",
                "n%3Ex",
                "-a",
                "n%3D-",
                ",",
                "n%20in%20(1",
                "set%3Dyes,",
            )
        ),
        *(
            get(f"{CMS}?fieldSelector={selector}&labelSelector=set", selector, headers=TABLE)
            for selector in (
                "metadata.name%3Dl1",
                "metadata.name!%3Dl1",
                "metadata.namespace%3Dsame",
                "metadata.name",
                "metadata.uid%3Dx",
                "metadata.name%3Dl1,metadata.name%3Dl2",
            )
        ),
        get(f"{CMS}?limit=x", "limit of text"),
        get(
            f"{CMS}?limit=-1&labelSelector=set",
            "negative limit",
            pick=["items.0.metadata.name", "items.3.metadata.name"],
        ),
        get(
            f"{CMS}?limit=2&fieldSelector=metadata.name!%3Dkube-root-ca.crt",
            "page",
            save={"c": "metadata.continue"},
            pick=["items.1.metadata.name", "items.2"],
        ),
        get(f"{CMS}?limit=2&continue={{{{c}}}}&resourceVersion=5", "continue with a version"),
        get(
            f"{CMS}?limit=2&continue={{{{c}}}}&resourceVersion=0&fieldSelector=metadata.name!%3Dkube-root-ca.crt",
            "continue with version 0",
            pick=["items.0.metadata.name"],
        ),
        get(f"{CMS}?continue=zzz", "bad continue"),
        get(f"{CMS}?resourceVersion=x", "bad version"),
        get(f"{CMS}?resourceVersionMatch=Exact", "match without version"),
        get(f"{CMS}?resourceVersionMatch=Nope&resourceVersion=1", "unknown match"),
        get(f"{CMS}?resourceVersionMatch=Exact&resourceVersion=0", "exactly 0"),
        get(
            f"{CMS}?resourceVersionMatch=NotOlderThan&resourceVersion=0&labelSelector=set",
            "not older than 0",
            pick=["items.0.metadata.name"],
        ),
        get(f"{CMS}?sendInitialEvents=true", "initial events of a list"),
        get(f"{CMS}/l0?resourceVersion=x", "bad version of one"),
        get(f"{CMS}/l0?resourceVersion=0", "one at 0", pick=["metadata.name"]),
        get(f"{CMS}?watch=1&sendInitialEvents=true&timeoutSeconds=1", "initial events without match"),
        get(f"{CMS}?watch=1&resourceVersionMatch=Exact&resourceVersion=1&timeoutSeconds=1", "watch with exact match"),
        get(f"{CMS}?watch=1&resourceVersionMatch=NotOlderThan&timeoutSeconds=1", "watch with match alone"),
        get(f"{CMS}?watch=false&labelSelector=set", "watch false", pick=["kind"]),
        get(f"{CMS}?timeoutSeconds=x&watch=1", "timeout of text"),
        get(f"{CMS}?watch=1&fieldSelector=zz%3D1&timeoutSeconds=1", "watch with a bad selector"),
        delete(f"{CMS}?labelSelector=n%3D1", "delete some", pick=["kind", "items.0.metadata.name", "items.1"]),
        delete(
            f"{CMS}?labelSelector=set&dryRun=All",
            "delete all as a dry run",
            pick=["kind", "items.0.metadata.name", "items.2.metadata.name"],
        ),
        delete(
            f"{CMS}?labelSelector=set", "delete all", pick=["kind", "items.0.metadata.name", "items.2.metadata.name"]
        ),
    ],
    "watches": [
        *need(HELD),
        post(
            HELDS,
            custom("Held", "w", {"n": 1}, meta={"labels": {"l": "1"}}),
            "one",
            save={"rv": "metadata.resourceVersion"},
        ),
        patch(f"{HELDS}/w", {"spec": {"n": 2}}, only="code"),
        patch(f"{HELDS}/w", {"spec": {"n": 2}}, "nothing", only="code"),
        patch(f"{HELDS}/w", {"metadata": {"labels": {"l": "2"}}}, only="code"),
        patch(f"{HELDS}/w", {"metadata": {"finalizers": ["x.y/z"]}}, only="code"),
        delete(f"{HELDS}/w", only="code"),
        patch(f"{HELDS}/w", {"metadata": {"finalizers": []}}, only="code"),
        get(f"{HELDS}?watch=1&resourceVersion={{{{rv}}}}&timeoutSeconds=2", "all of it", stream=True, managed=True),
        get(
            f"{HELDS}?watch=1&resourceVersion={{{{rv}}}}&timeoutSeconds=1&labelSelector=l%3D1",
            "while l is 1",
            stream=True,
        ),
        get(
            f"{HELDS}?watch=1&resourceVersion={{{{rv}}}}&timeoutSeconds=1&labelSelector=l%3D2",
            "while l is 2",
            stream=True,
        ),
        get(
            f"{HELDS}?watch=1&resourceVersion={{{{rv}}}}&timeoutSeconds=1",
            "as partial metadata",
            stream=True,
            headers={"Accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"},
        ),
        get(f"{HELDS}?watch=1&resourceVersion={{{{rv}}}}&timeoutSeconds=1", "as tables", stream=True, headers=TABLE),
        get(f"{HELDS}/w?watch=1&resourceVersion={{{{rv}}}}&timeoutSeconds=1", "one by its path", pick=["kind"]),
        get(
            f"/apis/{GROUP}/v1/watch/namespaces/{NS}/helds?resourceVersion={{{{rv}}}}&timeoutSeconds=1&labelSelector=l%3D2",
            "by the old path",
            stream=True,
        ),
        *drop(HELD),
    ],
    "deletion": [
        post(CMS, config_map("a", finalizers=["x.y/z"]), "held", only="code"),
        delete(f"{CMS}/a?propagationPolicy=Foreground", "foreground"),
        delete(f"{CMS}/a?propagationPolicy=Orphan", "orphan"),
        put(f"{CMS}/a", config_map("a", {"k": "v"}, finalizers=["x.y/z", "n.e/w"]), "new finalizer"),
        put(f"{CMS}/a", config_map("a", {"k": "v"}, finalizers=["x.y/z"]), "update", only="code"),
        post(CMS, config_map("a"), "the name is taken"),
        patch(f"{CMS}/a", {"metadata": {"finalizers": None}}, "let go"),
        gone(f"{CMS}/a"),
        post(CMS, config_map("b"), only="code", save={"uid": "metadata.uid", "rv": "metadata.resourceVersion"}),
        *(
            delete(f"{CMS}/b", say, {"apiVersion": "v1", "kind": "DeleteOptions", **options})
            for say, options in (
                ("another uid", {"preconditions": {"uid": "11111111-1111-1111-1111-111111111111"}}),
                ("another version", {"preconditions": {"resourceVersion": "1"}}),
                ("both policies", {"propagationPolicy": "Background", "orphanDependents": True}),
                ("unknown policy", {"propagationPolicy": "Sometimes"}),
                ("unknown dry run", {"dryRun": ["Some"]}),
                ("negative grace", {"gracePeriodSeconds": -1, "dryRun": ["All"]}),
                ("grace of text", {"gracePeriodSeconds": "x"}),
                ("unknown member", {"zz": 1, "dryRun": ["All"]}),
            )
        ),
        delete(f"{CMS}/b?propagationPolicy=Sometimes", "unknown policy in the query"),
        delete(f"{CMS}/b?gracePeriodSeconds=x", "grace of text in the query"),
        delete(f"{CMS}/b", "another kind of body", {"apiVersion": "v1", "kind": "ConfigMap"}),
        delete(f"{CMS}/b", "broken body", "{"),
        delete(
            f"{CMS}/b",
            "right preconditions",
            {
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "preconditions": {"uid": "{{uid}}", "resourceVersion": "{{rv}}"},
            },
        ),
        delete("/api/v1/namespaces/default", "default may not go"),
        delete("/api/v1/namespaces/none", "no such namespace"),
    ],
    "namespace": [
        post(
            "/api/v1/namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "same-end"}},
            only="code",
        ),
        served(f"{SPACE}/serviceaccounts/default"),
        post(f"{SPACE}/configmaps", config_map("held", finalizers=["x.y/z"]), only="code"),
        post(f"{SPACE}/configmaps", config_map("free"), only="code"),
        delete(
            SPACE,
            "delete",
            pick=[
                "status.phase",
                "metadata.deletionTimestamp",
                "metadata.deletionGracePeriodSeconds",
                "spec.finalizers",
            ],
        ),
        holds(SPACE, "NamespaceFinalizersRemaining"),
        get(SPACE, "what holds it"),
        post(f"{SPACE}/configmaps", config_map("new"), "no new content"),
        post(
            "/api/v1/namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "same-end"}},
            "name taken",
        ),
        delete(SPACE, "delete again"),
        patch(f"{SPACE}/configmaps/held", {"metadata": {"finalizers": None}}, "let go", only="code"),
        {**gone(SPACE), "every": 0.3},
        get(SPACE, "gone"),
        get(f"{SPACE}/configmaps", "list in it", pick=["items"]),
        post(
            "/api/v1/namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "Bad_Name"}},
            "bad name",
        ),
        post(
            "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a.b"}}, "dotted name"
        ),
        post(
            "/api/v1/namespaces?dryRun=All",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "gen-"}},
            "generated name",
            pick=["spec", "status", "metadata.generateName"],
        ),
    ],
}
