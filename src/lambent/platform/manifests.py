"""What a cluster needs to run lambent: a namespace, service accounts and the roles they hold. `lambent manifests`.

Least privilege: no `*`, no cluster-wide read of Secrets; a test compares the rules with the calls of a whole run. What
a workflow may create, and the kinds that trigger it, are the user's: a ClusterRole labelled
`lambent.dev/aggregate-to-controller: "true"` adds them (Kubernetes' role aggregation), as `lambent manifests` shows for
the AWS kinds.
"""

from typing import Any

from lambent.kube.types import KubeObject

NAMESPACE = "lambent-system"
AGGREGATE = "lambent.dev/aggregate-to-controller"

WATCH = ("list", "watch")
READ = ("get", *WATCH)
WRITE = ("create", "patch", "update", "delete")

Rule = dict[str, Any]


def _rule(group: str, *resources: str, verbs: tuple[str, ...]) -> Rule:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


_EVENTS = _rule("", "events", verbs=("create", "patch"))
_CRDS = _rule("apiextensions.k8s.io", "customresourcedefinitions", verbs=WATCH)

CONTROLLER_RULES = [
    _rule("koreo.dev", "workflows", "valuefunctions", "resourcefunctions", "resourcetemplates", verbs=WATCH),
    _rule(
        "koreo.dev",
        "workflows/status",
        "valuefunctions/status",
        "resourcefunctions/status",
        "resourcetemplates/status",
        verbs=("patch",),
    ),
    _rule("", "namespaces", verbs=WATCH),
    # Records of managed resources that are too large for an annotation.
    _rule("", "configmaps", verbs=("get", "create", "patch", "delete")),
    _rule("apiextensions.k8s.io", "customresourcedefinitions", verbs=READ),
    _EVENTS,
]

AWS_KINDS = {
    "s3.services.k8s.aws": ("buckets",),
    "iam.services.k8s.aws": ("policies", "roles"),
    "lambda.services.k8s.aws": ("functions",),
}
AWS_RULES = [
    rule
    for group, plurals in AWS_KINDS.items()
    for rule in (
        _rule(group, *plurals, verbs=(*READ, "create", "patch", "delete")),
        _rule(group, *(f"{plural}/status" for plural in plurals), verbs=("patch",)),
    )
]

SERVER_RULES = [
    _rule("lambent.dev", "lambdafunctions", "lambdafunctionversions", verbs=(*READ, *WRITE)),
    _rule("lambent.dev", "lambdafunctions/status", "lambdafunctionversions/status", verbs=("update",)),
    _rule("lambent.dev", "lambdaaliases", verbs=(*READ, "create", "update", "delete")),
    _CRDS,
]

LEASE_RULES = [_rule("coordination.k8s.io", "leases", verbs=("get", "create", "update"))]


def manifests() -> list[KubeObject]:
    """In an order that applies: the namespace first."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        *_account("lambent-controller"),
        *_account("lambent-server"),
        _controller_role(),
        _cluster_role("lambent-controller-own", CONTROLLER_RULES, aggregate=True),
        _cluster_role("lambent-controller-aws", AWS_RULES, aggregate=True),
        _cluster_role("lambent-server", SERVER_RULES),
        _cluster_binding("lambent-controller"),
        _cluster_binding("lambent-server"),
        *_leases(),
    ]


def _account(name: str) -> list[KubeObject]:
    return [_object("v1", "ServiceAccount", name, NAMESPACE, automountServiceAccountToken=False)]


def _object(api_version: str, kind: str, name: str, namespace: str = "", **members: Any) -> KubeObject:
    place = {"namespace": namespace} if namespace else {}
    made: Any = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **place}, **members}
    return made  # type: ignore[no-any-return]  # the envelope's members differ by kind


_RBAC = "rbac.authorization.k8s.io/v1"


def _controller_role() -> KubeObject:
    selector = {"clusterRoleSelectors": [{"matchLabels": {AGGREGATE: "true"}}]}
    return _object(_RBAC, "ClusterRole", "lambent-controller", aggregationRule=selector, rules=[])


def _cluster_role(name: str, rules: list[Rule], *, aggregate: bool = False) -> KubeObject:
    role = _object(_RBAC, "ClusterRole", name, rules=rules)
    if aggregate:
        role["metadata"]["labels"] = {AGGREGATE: "true"}
    return role


def _cluster_binding(name: str) -> KubeObject:
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    return _object(_RBAC, "ClusterRoleBinding", name, roleRef=ref, subjects=[_subject(name)])


def _subject(name: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}


def _leases() -> list[KubeObject]:
    name = "lambent-controller-leases"
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    return [
        _object(_RBAC, "Role", name, NAMESPACE, rules=LEASE_RULES),
        _object(_RBAC, "RoleBinding", name, NAMESPACE, roleRef=ref, subjects=[_subject("lambent-controller")]),
    ]
