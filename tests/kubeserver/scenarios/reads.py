"""Reads: what may be asked of a list, in which form an answer comes, and what is refused before anything is read."""

from urllib.parse import quote

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import (
    CMS,
    CRDS,
    DEPLOYMENTS,
    GROUP,
    NS,
    config_map,
    custom,
    definition,
    delete,
    drop,
    get,
    need,
    objects,
    post,
)

_SPEC = {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}
READ = definition(
    "Read",
    {"type": "object", "properties": {"spec": _SPEC, "status": {"type": "object"}}},
    selectableFields=[{"jsonPath": ".spec.s"}, {"jsonPath": ".spec.n"}],
    subresources={"status": {}},
)
READS = objects("Read")
_WIDE = definition("Wide", {"type": "object", "x-kubernetes-preserve-unknown-fields": True}, scope="Cluster")
_WIDES = f"/apis/{GROUP}/v1/wides"
_POD = {
    "spec": {
        "schedulerName": "none",
        "automountServiceAccountToken": False,
        "containers": [{"name": "c", "image": "i"}],
    }
}
_KINDS = {
    "configmaps": CMS,
    "reads": READS,
    "wides": _WIDES,
    "pods": f"/api/v1/namespaces/{NS}/pods",
    "events": f"/apis/events.k8s.io/v1/namespaces/{NS}/events",
    "jobs": f"/apis/batch/v1/namespaces/{NS}/jobs",
    "replicasets": f"/apis/apps/v1/namespaces/{NS}/replicasets",
    "namespaces": "/api/v1/namespaces",
}
_LABELS = (
    *(
        "n>-x",
        "n<'q'",
        "n>99999999999999999999",
        "n=1,,odd",
        "n = 1",
        "n in ( 1 , 2 )",
        "n in (1,,2)",
        "n in ()",
        "n notin(1)",
    ),
    *(
        "! n",
        "!!n",
        "n===1",
        "n==!1",
        "n in [1]",
        "n IN (1)",
        "a/b/c",
        "/n",
        "n/",
        "é",
        f"n={'A' * 64}",
        ",n",
        "n\n",
        "in",
        "in in (in)",
    ),
)
_FIELDS = (
    *("metadata.name=r1", "metadata.name==r1,metadata.namespace=same", "metadata.name!=r1", "spec.s=x", "spec.s=a\\,b"),
    *(
        "spec.s=a\\=b",
        "spec.s=a\\x",
        "spec.s=\\",
        "spec.s=a=b",
        "spec.s=a,b=c",
        "zz=1,aa=2",
        "=x",
        "!=x",
        "spec.s",
        "spec.n!=1",
    ),
)
_FIELDS_OF = {
    "wides": ("metadata.namespace=x",),
    "namespaces": ("metadata.namespace=x",),
    "pods": ("spec.hostNetwork=true", "status.podIPs=x", "status.nominatedNodeName=x", "spec.zz=1"),
    "events": ("regarding.name=x", "reportingController=x", "involvedObject.name=x", "note=x"),
    "jobs": ("status.successful=1", "zz=1"),
    "replicasets": ("status.replicas=1",),
}
_OPTIONS = (
    *(
        "limit=",
        "limit=%202",
        "limit=1e3",
        "limit=99999999999999999999",
        "limit=%2B2",
        "limit=1&limit=2",
        "timeoutSeconds=",
        "timeoutSeconds=x",
    ),
    *("timeout=x", "timeout=5", "timeout=5y", "timeout=1h2m", "timeout=.5s", "resourceVersion=99999999999999999999999"),
    *(
        "resourceVersion=%2B5",
        "resourceVersionMatch=exact",
        "resourceVersionMatch=exact&resourceVersion=0",
        "sendInitialEvents=",
    ),
    *(
        "continue=abc&resourceVersionMatch=Exact",
        "continue=abc&resourceVersion=x",
        "watch=false&pretty=x",
        "fieldSelector=%zz",
        "a;b",
    ),
    *(
        "watch=1&continue=abc",
        "watch=1&resourceVersion=x",
        "watch=1&resourceVersionMatch=NotOlderThan&sendInitialEvents=x&resourceVersion=-1",
    ),
)
_TOKENS = (
    *("a", "abc", "abcd", "*", "e30", "e30%3D", "bnVsbA", "bm9wZQ", "Ingi", "W10", "NQ", "eyJ2IjoieCJ9", "eyJ2IjoxfQ"),
    *("eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NX0", "eyJydiI6IngifQ"),
)
_JSON = "application/json"
_META = "g=meta.k8s.io"
_ACCEPTED = (
    *(
        "",
        "*",
        "*/*",
        "application/*",
        "json",
        "text/html",
        "text/html,*/*;q=0.1",
        "application/xml,application/json",
        f"{_JSON};q=0",
        ";;",
    ),
    *(f"{_JSON};as=Table;v=v1;{_META}", f"{_JSON};as=Table;v=v1beta1;{_META}", f"{_JSON};as=Table;v=v2;{_META}"),
    *(
        f"{_JSON};as=Table;{_META}",
        f"{_JSON};as=table;v=v1;{_META}",
        f"{_JSON};v=v1",
        f"{_JSON};as=Table;v=v2;{_META},{_JSON}",
    ),
    *(f"{_JSON};as=Table;v=v1;{_META};q=0.2,{_JSON};q=0.9", f"*/*;as=Table;v=v1;{_META}", f"{_JSON};stream=watch"),
    *(
        f"{_JSON};as={kind};v={v};{_META}"
        for kind in ("PartialObjectMetadata", "PartialObjectMetadataList")
        for v in ("v1", "v1beta1", "v2")
    ),
)
_PATHS = (
    *(
        "//api/v1/configmaps",
        "/api//v1/configmaps",
        f"{READS}/",
        f"{CMS}/r1/",
        f"{CMS}//r1",
        f"{CMS}/..",
        f"{CMS}/a%25b",
        f"{CMS}/r1%2Fx",
        f"{CMS}/%72%31",
    ),
    *(f"{CMS}/r1/x", f"{CMS}/r1/status", f"{READS}/r1/x", f"{READS}/r1/status/x", f"{READS}/r1/scale", f"{READS}/.."),
    *(
        f"/apis/{GROUP}/v1/reads/r1",
        f"/apis/{GROUP}/v1/namespaces/{NS}/wides",
        f"/apis/{GROUP}/v9",
        f"/apis/{GROUP}/v9/reads",
        "/apis/apps/v9",
        "/api/v9",
    ),
    *(
        "/api/v1/configmaps/r1",
        f"/api/v1/namespaces/{NS}/namespaces",
        f"/api/v1/namespaces/{NS}/finalize",
        "/healthz/ping",
        "/livez/nothere",
        "/healthz/",
    ),
    *(
        "/apis/authentication.k8s.io/v1/tokenreviews/x",
        "/apis/authentication.k8s.io/v1/tokenreviews",
        "/openapi/v2/",
        "/API/v1",
    ),
    *(
        f"{_KINDS['pods']}/p/{sub}"
        for sub in ("exec", "attach", "portforward", "proxy", "proxy/x", "eviction", "binding", "nothing")
    ),
    *(f"{_KINDS['pods']}/none/{sub}" for sub in ("exec", "proxy", "log")),
    *(
        f"{_KINDS['pods']}/p/log?{q}"
        for q in ("tailLines=-1", "tailLines=x", "sinceSeconds=0", "limitBytes=0", "stream=x", "container=x")
    ),
    *(
        f"/api/v1/namespaces/{NS}/services/none/proxy",
        f"/apis/{GROUP}/v1/watch/namespaces/{NS}/reads/r1/status",
        f"{CMS}/r1?export=true",
    ),
)
_METHODS = {
    "HEAD": (CMS, f"{CMS}/r1", READS, f"{READS}/none"),
    "OPTIONS": (CMS, f"{READS}/r1", "/api", f"/apis/{GROUP}", "/healthz", "/nothing"),
    "POST": (f"{CMS}/r1", "/api/v1/configmaps", f"/apis/{GROUP}/v1/reads", f"{READS}/r1/status", "/api/v1", "/version"),
    "PUT": (CMS, READS, f"/apis/{GROUP}/v1/reads"),
    "DELETE": (
        "/api/v1/configmaps",
        f"/apis/{GROUP}/v1/reads",
        "/api/v1/namespaces?labelSelector=nope",
        f"{READS}/r1/status",
        "/apis/apps/v1",
    ),
}


def _asked(collection: str, query: str, say: str = "") -> Step:
    """Only what is ours: a cluster puts things of its own into a namespace."""
    own = "" if "labelSelector" in query else "&labelSelector=own"
    return get(f"{collection}?{query}{own}", say or f"{collection.rpartition('/')[2]} {query}", headers=_TABLE)


_TABLE = {"Accept": f"{_JSON};as=Table;v=v1;{_META},{_JSON}"}
_YAML = {"Accept": "application/yaml"}
_FILL = [
    *need(READ),
    *need(_WIDE),
    *(post(CMS, config_map(f"r{i}", {"i": str(i)}, labels={"own": "1", "n": str(i)}), only="code") for i in range(3)),
    *(
        post(READS, custom("Read", f"r{i}", spec, meta={"labels": {"own": "1", "n": str(i)}}), only="code")
        for i, spec in enumerate(({"n": 1, "s": "x"}, {"s": "a,b"}, {"s": "a=b"}))
    ),
    post(_WIDES, custom("Wide", "w"), only="code"),
    post(
        _KINDS["pods"],
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"own": "1"}}, **_POD},
        only="code",
    ),
]
_EMPTY = [
    delete(f"{CMS}?labelSelector=own", only="code"),
    delete(f"{_KINDS['pods']}/p?gracePeriodSeconds=0", only="code"),
    *drop(READ),
    *drop(_WIDE),
]

GROUPS: dict[str, list[Step]] = {
    "selections": [
        *_FILL,
        *(_asked(CMS, f"labelSelector={quote('own,' + text)}", text) for text in _LABELS),
        *(_asked(READS, f"fieldSelector={quote(text)}") for text in _FIELDS),
        *(_asked(_KINDS[kind], f"fieldSelector={quote(text)}") for kind, found in _FIELDS_OF.items() for text in found),
        *_EMPTY,
    ],
    "options of reads": [
        *_FILL,
        *(
            _asked(path, query)
            for path in (CMS, READS)
            for query in (*_OPTIONS, *(f"continue={one}" for one in _TOKENS))
        ),
        get(
            f"{READS}?limit=1&labelSelector=own",
            "page",
            save={"c": "metadata.continue"},
            pick=["items.0.metadata.name"],
        ),
        _asked(READS, "continue={{c}}&limit=1", "next page"),
        _asked(f"/apis/{GROUP}/v1/reads", "continue={{c}}", "token of one namespace, asked of all"),
        *_EMPTY,
    ],
    "forms of answers": [
        *_FILL,
        *(
            get(
                path,
                f"{path.rpartition('/')[2]} as {accept}",
                headers={"Accept": accept},
                pick=["kind", "apiVersion", "metadata.name"],
            )
            for accept in _ACCEPTED
            for path in (f"{CMS}/r1", f"{CMS}?labelSelector=own", f"{READS}/r1", READS, f"{READS}/none")
        ),
        get(f"{CMS}/none", "refusal in YAML", headers=_YAML),
        get(f"/apis/{GROUP}", "group in YAML", headers=_YAML),
        get(f"{READS}?watch=1", "watch in YAML", headers=_YAML),
        get(f"/apis/{GROUP}", "group as a table", headers={"Accept": f"{_JSON};as=Table;v=v1;{_META}"}),
        get(f"{DEPLOYMENTS}/none/scale", "scale as a table", headers=_TABLE),
        *_EMPTY,
    ],
    "paths and methods": [
        *_FILL,
        *(get(path, path, pick=["kind", "metadata.name", "items.0.metadata.name"]) for path in _PATHS),
        *(
            {
                "method": method,
                "path": path,
                "say": f"{method} {path}",
                **({"body": {}} if method in ("POST", "PUT") else {}),
            }
            for method, paths in _METHODS.items()
            for path in paths
        ),
        get(f"{CRDS}?fieldSelector=metadata.namespace%3Dx", "definitions by namespace"),
        *_EMPTY,
    ],
}
