"""Builtin kinds: what they refuse and what they fill in; reviews."""

from typing import Any

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import APPLY, CMS, DEPLOYMENTS, NS, config_map, delete, get, patch, post, put

HERE = f"/api/v1/namespaces/{NS}"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NS}/leases"
RBAC = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NS}"
WEB: Any = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "main", "image": "i:1", "ports": [{"containerPort": 80}]}]},
        },
    },
}


def _made(kind: str, name: str, api_version: str = "v1", **top: Any) -> Any:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **top}


def _deployment(say: str, **spec: Any) -> Step:
    body = {**WEB, "spec": {**WEB["spec"], **spec}}
    body["spec"] = {key: value for key, value in body["spec"].items() if value is not None}
    return post(f"{DEPLOYMENTS}?dryRun=All", body, say, pick=["spec"])


def _review(say: str, kind: str, group: str, spec: Any, version: str = "v1") -> Step:
    return post(
        f"/apis/{group}/{version}/{kind.lower()}s",
        {"apiVersion": f"{group}/{version}", "kind": kind, "spec": spec},
        say,
        pick=["kind", "apiVersion", "spec", "status.allowed", "status.denied"],
    )


_AUTH = "authorization.k8s.io"


def _new_with_status() -> list[Step]:
    """A create, and an apply that creates, of what says how it fares already."""
    chosen, template = WEB["spec"]["selector"], WEB["spec"]["template"]
    bare = {"selector": chosen, "template": template}
    once = {"template": {"spec": {**template["spec"], "restartPolicy": "Never"}}}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    web = {"kind": "Deployment", "name": "x"}
    replicas = {"replicas": 3, "conditions": [{"type": "Available", "status": "True"}]}
    sets = {"currentNumberScheduled": 3, "numberMisscheduled": 1, "desiredNumberScheduled": 2, "numberReady": 1}
    budget = {"disruptionsAllowed": 3, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1}
    apps, policy = "/apis/apps/v1", "/apis/policy/v1"
    new: list[tuple[str, str, Any, Any]] = [
        (apps, "Deployment", bare, replicas),
        (apps, "ReplicaSet", bare, {"replicas": 3}),
        (apps, "StatefulSet", bare | {"serviceName": "x"}, {"replicas": 3}),
        (apps, "DaemonSet", bare, sets),
        ("/apis/batch/v1", "Job", once, {"active": 3}),
        ("/api/v1", "Service", {"ports": [{"port": 80}]}, {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}),
        ("/api/v1", "Pod", template["spec"], {"phase": "Running"}),
        ("/api/v1", "PersistentVolumeClaim", claim, {"phase": "Bound"}),
        ("/apis/autoscaling/v2", "HorizontalPodAutoscaler", {"scaleTargetRef": web, "maxReplicas": 3}, replicas),
        (policy, "PodDisruptionBudget", {"minAvailable": 1, "selector": chosen}, budget),
    ]
    steps: list[Step] = []
    for root, kind, spec, status in new:
        path = f"{root}/namespaces/{NS}/{kind.lower()}s"
        body = _made(kind, "new", root.split("/", 2)[2], spec=spec, status=status)
        steps.append(post(f"{path}?dryRun=All", body, f"create {kind}", pick=["status"]))
        steps.append(
            patch(f"{path}/new?fieldManager=m&dryRun=All", body, f"apply {kind}", headers=APPLY, pick=["status"])
        )
    local = {"group": "same.example.dev", "version": "v9", "groupPriorityMinimum": 10, "versionPriority": 10}
    body = _made(
        "APIService", "v9.same.example.dev", "apiregistration.k8s.io/v1", spec=local, status={"conditions": []}
    )
    return [*steps, post("/apis/apiregistration.k8s.io/v1/apiservices?dryRun=All", body, "APIService", pick=["status"])]


GROUPS: dict[str, list[Step]] = {
    "new status": _new_with_status(),
    "config": [
        *(
            post(f"{CMS}?dryRun=All", body, say)
            for say, body in (
                ("bad key", config_map("c", {"a b": "1"})),
                ("number", config_map("c", {"a": 1})),
                ("null value", config_map("c", {"a": None})),
                ("data is a list", {**config_map("c"), "data": []}),
                ("binary", {**config_map("c"), "binaryData": {"b": "YQ=="}}),
                ("bad binary", {**config_map("c"), "binaryData": {"b": "%"}}),
                ("key in both", {**config_map("c", {"a": "1"}), "binaryData": {"a": "YQ=="}}),
                ("immutable", {**config_map("c", {"a": "1"}), "immutable": True}),
                ("long name", config_map("n" * 254)),
                ("dotted name", config_map("a.b")),
                ("bad dots", config_map("a..b")),
                ("bad label value", config_map("c", labels={"a": "b c"})),
                ("long label", config_map("c", labels={"a" * 64: "b"})),
                ("bad label prefix", config_map("c", labels={"A_/b": "c"})),
                ("bad annotation", config_map("c", annotations={"a b": "c"})),
                ("bad finalizer", config_map("c", finalizers=["plain"])),
                (
                    "bad owner",
                    config_map("c", ownerReferences=[{"apiVersion": "v1", "kind": "X", "name": "", "uid": ""}]),
                ),
                ("unknown top", {**config_map("c"), "zz": 1}),
                ("resourceVersion", config_map("c", resourceVersion="5")),
                ("uid", config_map("c", uid="x")),
                ("generateName beside name", config_map("c", generateName="g-")),
                ("bad generateName", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "G_"}}),
                ("metadata is text", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": "x"}),
                ("metadata null", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": None}),
                ("labels is text", config_map("c", labels="x")),
                ("name is a number", config_map("c") | {"metadata": {"name": 5}}),
                ("a list", []),
                ("text", '"x"'),
                ("null", "null"),
                ("another version", {**config_map("c"), "apiVersion": "v2"}),
                ("another group", {**config_map("c"), "apiVersion": "apps/v1"}),
                ("another kind", {**config_map("c"), "kind": "Pod"}),
                ("no kind", {"apiVersion": "v1", "metadata": {"name": "c"}}),
                ("no apiVersion", {"kind": "ConfigMap", "metadata": {"name": "c"}}),
            )
        ),
        post(CMS, {**config_map("i", {"a": "1"}), "immutable": True}, "immutable", only="code"),
        patch(f"{CMS}/i", {"data": {"a": "2"}}, "data of an immutable"),
        patch(f"{CMS}/i", {"immutable": False}, "immutable stays"),
        patch(f"{CMS}/i", {"metadata": {"labels": {"a": "b"}}}, "labels may change", only="code"),
        delete(f"{CMS}/i", only="code"),
        post(f"{CMS}?dryRun=Some", config_map("c"), "unknown dry run"),
        post(f"{CMS}?fieldManager={'m' * 129}", config_map("c"), "long manager"),
        post(f"{CMS}?fieldValidation=Nope", config_map("c"), "unknown field validation"),
        post(
            f"{CMS}?fieldValidation=Strict", {**config_map("c"), "zz": 1, "metadata": {"name": "c", "yy": 1}}, "strict"
        ),
        post(f"{CMS}?fieldValidation=Warn&dryRun=All", {**config_map("c"), "zz": 1}, "warn"),
        post(
            f"{CMS}?fieldValidation=Strict",
            '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1","a":"2"}}',
            "strict twice",
        ),
        put(f"{CMS}/none", config_map("none"), "put of nothing"),
        put(f"{CMS}/none", config_map("other"), "put of another name"),
        get("/api/v1/namespaces/none/configmaps/x", "in no namespace"),
        get("/api/v1/nothing", "no such resource"),
        get("/apis/none.example/v1/things", "no such group"),
        get("/apis/apps/v9/deployments", "no such version"),
        get("/api/v2", "no such core version"),
        get("/nothing", "no such path"),
        {"method": "PUT", "path": CMS, "body": config_map("x"), "say": "put to a collection"},
        {"method": "POST", "path": f"{CMS}/x", "body": config_map("x"), "say": "post to an object"},
        {
            "method": "PATCH",
            "path": CMS,
            "body": {},
            "headers": {"Content-Type": "application/merge-patch+json"},
            "say": "patch a collection",
        },
        {"method": "PUT", "path": "/api/v1/configmaps/x", "body": config_map("x"), "say": "put without a namespace"},
        post("/api/v1/configmaps", config_map("x"), "post without a namespace"),
    ],
    "builtin kinds": [
        *(
            post(
                f"{HERE}/secrets?dryRun=All",
                {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **top},
                say,
            )
            for say, top in (
                ("secret", {"data": {"a": "YQ=="}}),
                ("stringData wins", {"data": {"a": "YQ=="}, "stringData": {"a": "b"}}),
                ("bad base64", {"data": {"a": "%"}}),
                ("tls without data", {"type": "kubernetes.io/tls"}),
                ("docker config", {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "e30="}}),
                ("docker config missing", {"type": "kubernetes.io/dockerconfigjson"}),
                ("basic auth", {"type": "kubernetes.io/basic-auth", "stringData": {"username": "u"}}),
                ("ssh auth missing", {"type": "kubernetes.io/ssh-auth"}),
                ("token without annotation", {"type": "kubernetes.io/service-account-token"}),
                ("bad key", {"data": {"a b": "YQ=="}}),
            )
        ),
        _deployment("deployment"),
        _deployment("negative replicas", replicas=-1),
        _deployment("no selector", selector=None),
        _deployment("empty selector", selector={}),
        _deployment("selector does not match", selector={"matchLabels": {"a": "b"}}),
        _deployment("no template", template=None),
        _deployment("no containers", template={"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}),
        _deployment(
            "container without name",
            template={"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"image": "i"}]}},
        ),
        _deployment(
            "container without image",
            template={"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a"}]}},
        ),
        _deployment(
            "container twice",
            template={
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "a", "image": "i"}, {"name": "a", "image": "i"}]},
            },
        ),
        _deployment(
            "bad container name",
            template={"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "A", "image": "i"}]}},
        ),
        _deployment(
            "unknown mount",
            template={
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [{"name": "a", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/x"}]}]
                },
            },
        ),
        _deployment(
            "bad port",
            template={
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "a", "image": "i", "ports": [{"containerPort": 70000}]}]},
            },
        ),
        _deployment(
            "bad pull policy",
            template={
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "a", "image": "i", "imagePullPolicy": "Now"}]},
            },
        ),
        _deployment(
            "bad restart policy",
            template={
                "metadata": {"labels": {"app": "web"}},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "i"}]},
            },
        ),
        _deployment(
            "bad quantity",
            template={
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "a", "image": "i", "resources": {"requests": {"cpu": "x"}}}]},
            },
        ),
        _deployment(
            "request above limit",
            template={
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {"name": "a", "image": "i", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}
                    ]
                },
            },
        ),
        _deployment(
            "bad env name",
            template={
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "a", "image": "i", "env": [{"name": "", "value": "x"}]}]},
            },
        ),
        _deployment("bad strategy", strategy={"type": "Sudden"}),
        _deployment("recreate with rolling", strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
        _deployment("replicas of text", replicas="two"),
        _deployment(
            "probes and resources filled",
            template={
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {
                            "name": "a",
                            "image": "i",
                            "livenessProbe": {"httpGet": {"port": 80}},
                            "resources": {"limits": {"cpu": "0.5"}},
                        }
                    ],
                    "volumes": [{"name": "c", "configMap": {"name": "c"}}],
                },
            },
        ),
        *(
            post(
                f"{HERE}/services?dryRun=All",
                _made("Service", "s", spec=spec),
                say,
                pick=["spec.ports", "spec.type", "spec.sessionAffinity", "spec.selector"],
            )
            for say, spec in (
                ("service", {"ports": [{"port": 80}], "selector": {"a": "b"}}),
                ("named target", {"ports": [{"port": 80, "targetPort": "http"}]}),
                ("no ports", {"selector": {"a": "b"}}),
                ("two ports without names", {"ports": [{"port": 80}, {"port": 81}]}),
                ("bad port", {"ports": [{"port": 0}]}),
                ("bad type", {"type": "Odd", "ports": [{"port": 80}]}),
                ("external without name", {"type": "ExternalName"}),
                ("bad protocol", {"ports": [{"port": 80, "protocol": "HTTP"}]}),
            )
        ),
        post(
            f"{HERE}/services?dryRun=All", _made("Service", "1bad", spec={"ports": [{"port": 80}]}), "bad service name"
        ),
        *(
            post(f"{RBAC}/roles?dryRun=All", _made("Role", "r", "rbac.authorization.k8s.io/v1", rules=rules), say)
            for say, rules in (
                ("role", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
                ("no verbs", [{"apiGroups": [""], "resources": ["pods"], "verbs": []}]),
                ("no resources", [{"apiGroups": [""], "verbs": ["get"]}]),
                ("no groups", [{"resources": ["pods"], "verbs": ["get"]}]),
                ("urls in a role", [{"nonResourceURLs": ["/x"], "verbs": ["get"]}]),
            )
        ),
        *(
            post(
                f"{RBAC}/rolebindings?dryRun=All",
                _made("RoleBinding", "b", "rbac.authorization.k8s.io/v1", roleRef=ref, subjects=subjects),
                say,
            )
            for say, ref, subjects in (
                (
                    "binding",
                    {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
                    [{"kind": "ServiceAccount", "name": "x", "namespace": NS}],
                ),
                ("defaults of a binding", {"kind": "ClusterRole", "name": "view"}, [{"kind": "User", "name": "x"}]),
                (
                    "account without namespace",
                    {"kind": "ClusterRole", "name": "view"},
                    [{"kind": "ServiceAccount", "name": "x"}],
                ),
                ("bad role kind", {"kind": "Part", "name": "view"}, []),
            )
        ),
        *(
            post(f"{LEASES}?dryRun=All", _made("Lease", "l", "coordination.k8s.io/v1", spec=spec), say)
            for say, spec in (
                (
                    "lease",
                    {
                        "holderIdentity": "a",
                        "leaseDurationSeconds": 15,
                        "leaseTransitions": 0,
                        "renewTime": "2026-01-01T00:00:00.000000Z",
                    },
                ),
                ("no duration", {"leaseDurationSeconds": 0}),
                ("negative transitions", {"leaseTransitions": -1}),
                ("bad time", {"renewTime": "now"}),
                ("seconds only", {"renewTime": "2026-01-01T00:00:00Z"}),
                ("empty", {}),
            )
        ),
        post(f"{HERE}/serviceaccounts?dryRun=All", _made("ServiceAccount", "a"), "service account"),
        post(
            f"{HERE}/events?dryRun=All",
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": "e"},
                "involvedObject": {"kind": "ConfigMap", "namespace": "other", "name": "x"},
            },
            "event of another namespace",
        ),
        post(
            f"{HERE}/events?dryRun=All",
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": "e"},
                "involvedObject": {"kind": "ConfigMap", "namespace": NS, "name": "x"},
                "reason": "R",
                "message": "m",
            },
            "event",
        ),
        post(
            f"/apis/events.k8s.io/v1/namespaces/{NS}/events?dryRun=All",
            {
                "apiVersion": "events.k8s.io/v1",
                "kind": "Event",
                "metadata": {"name": "e"},
                "regarding": {"kind": "ConfigMap", "namespace": NS, "name": "x"},
                "reason": "R",
            },
            "event without time",
        ),
        post(
            f"/apis/batch/v1/namespaces/{NS}/jobs?dryRun=All",
            _made("Job", "j", "batch/v1", spec={"template": {"spec": {"containers": [{"name": "a", "image": "i"}]}}}),
            "job without restart policy",
        ),
        post(
            f"/apis/policy/v1/namespaces/{NS}/poddisruptionbudgets?dryRun=All",
            _made(
                "PodDisruptionBudget", "p", "policy/v1", spec={"minAvailable": 1, "maxUnavailable": 1, "selector": {}}
            ),
            "budget of both",
        ),
        post(
            f"/apis/autoscaling/v2/namespaces/{NS}/horizontalpodautoscalers?dryRun=All",
            _made(
                "HorizontalPodAutoscaler",
                "h",
                "autoscaling/v2",
                spec={"maxReplicas": 0, "scaleTargetRef": {"kind": "Deployment", "name": "x"}},
            ),
            "autoscaler of none",
        ),
        post(
            f"{HERE}/persistentvolumeclaims?dryRun=All",
            _made(
                "PersistentVolumeClaim",
                "p",
                spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            ),
            "claim",
            pick=["spec", "status"],
        ),
        post(f"{HERE}/persistentvolumeclaims?dryRun=All", _made("PersistentVolumeClaim", "p", spec={}), "empty claim"),
        post(f"{HERE}/pods?dryRun=All", _made("Pod", "p", spec={}), "pod of nothing"),
        post(
            f"{HERE}/serviceaccounts/default/token",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 10}},
            "token of too short a life",
        ),
        post(
            f"{HERE}/serviceaccounts/none/token",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
            "token of nobody",
        ),
    ],
    "reviews": [
        _review(
            "may I",
            "SelfSubjectAccessReview",
            _AUTH,
            {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": NS}},
        ),
        _review("may I do nothing", "SelfSubjectAccessReview", _AUTH, {}),
        _review(
            "both attributes",
            "SelfSubjectAccessReview",
            _AUTH,
            {"resourceAttributes": {"verb": "get"}, "nonResourceAttributes": {"path": "/x", "verb": "get"}},
        ),
        _review(
            "a path", "SelfSubjectAccessReview", _AUTH, {"nonResourceAttributes": {"path": "/healthz", "verb": "get"}}
        ),
        _review(
            "may nobody",
            "SubjectAccessReview",
            _AUTH,
            {"user": "nobody", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": NS}},
        ),
        _review(
            "may a master",
            "SubjectAccessReview",
            _AUTH,
            {"user": "x", "groups": ["system:masters"], "resourceAttributes": {"verb": "get", "resource": "pods"}},
        ),
        _review(
            "nobody asked", "SubjectAccessReview", _AUTH, {"resourceAttributes": {"verb": "get", "resource": "pods"}}
        ),
        _review("rules", "SelfSubjectRulesReview", _AUTH, {}),
        _review("no token", "TokenReview", "authentication.k8s.io", {}),
        post(
            "/apis/authentication.k8s.io/v1/tokenreviews",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "wrong"}},
            "wrong token",
            pick=["kind", "status.authenticated"],
        ),
        get("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "list reviews"),
    ],
}
