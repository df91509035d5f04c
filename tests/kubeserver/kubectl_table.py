"""Every kubectl command that the embedded API server answers for, as rows: what is typed and what must come of it.

`test_kubectl_commands.py` runs them with the real kubectl; `page()` is docs/reference/kubectl.md, which follows from
them (`python -m tests.kubeserver.kubectl_table` writes it). The rows of one group run in order in a namespace of their
own. Not here: what kubectl prints to the letter (the conformance suite compares that with recordings).
"""

import shlex
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "kubectl.md"


@dataclass(frozen=True)
class Row:
    """One command line without the leading `kubectl`.

    Passes when it exits with `exit` and its output has every text of `says`. A row with `meanwhile` is a stream: once
    it watches, the `meanwhile` command runs; when all of `says` was seen the command is ended, unless it
    ends itself. `is_shown` False: only prepares others. `is_refused`: not supported, and said so.
    """

    line: str
    says: tuple[str, ...] = ()
    exit: int = 0
    meanwhile: str = ""
    editor: str = ""
    is_shown: bool = True
    is_refused: bool = False

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line)


def ok(line: str, *says: str) -> Row:
    return Row(line, says)


def fails(line: str, *says: str, exit: int = 1) -> Row:
    return Row(line, says, exit)


def quiet(line: str) -> Row:
    return Row(line, is_shown=False)


def stream(line: str, meanwhile: str, *says: str) -> Row:
    return Row(line, says, meanwhile=meanwhile)


def refused(line: str, *says: str) -> Row:
    return Row(line, says, 1, is_refused=True)


_CM = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, labels: {app: web}}\ndata: {colour: blue, size: '3'}\n"
_POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: main, image: i}]}\n"
_EVENT = """apiVersion: v1
kind: Event
metadata: {name: e1}
involvedObject: {apiVersion: v1, kind: Pod, name: p, namespace: logs-events}
reason: Grew
message: it grew
type: Normal
"""
_CRD = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.table.example.org}
spec:
  group: table.example.org
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList, shortNames: [gt], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Colour, type: string, jsonPath: .spec.colour, priority: 1}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, minimum: 1, description: How big it is.}
              colour: {type: string, default: red}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
_GADGET = "apiVersion: table.example.org/v1\nkind: Gadget\nmetadata: {name: one}\nspec: {size: 3}\n"
_DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: echo}
spec:
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec: {containers: [{name: main, image: example/echo}]}
"""

FILES = {
    "cm.yaml": _CM,
    "green.yaml": _CM.replace("blue", "green"),
    "fewer.yaml": _CM.replace(", size: '3'", ""),
    "unknown.yaml": _CM + "bogus: 1\n",
    "pod.yaml": _POD,
    "event.yaml": _EVENT,
    "crd.yaml": _CRD,
    "gadget.yaml": _GADGET,
    "bad-gadget.yaml": _GADGET.replace("size: 3", "size: 0"),
    "deployment.yaml": _DEPLOYMENT,
    "scaled.yaml": _DEPLOYMENT.replace("spec:\n  selector", "spec:\n  replicas: 4\n  selector"),
}

READY = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'
MANAGERS = "get cm web --show-managed-fields -o jsonpath='{.metadata.managedFields[*].manager}'"

GROUPS: dict[str, list[Row]] = {
    "Apply, diff": [
        fails("diff -f cm.yaml", "+  colour: blue"),
        ok("apply -f cm.yaml --dry-run=server", "created (server dry run)"),
        ok("apply -f cm.yaml", "created"),
        ok("apply -f cm.yaml", "unchanged"),
        ok("diff -f cm.yaml"),
        fails("diff -f green.yaml", "-  colour: blue", "+  colour: green"),
        ok("apply -f green.yaml", "configured"),
        ok("apply -f fewer.yaml", "configured"),
        ok("get cm web -o jsonpath='{.data}'", '{"colour":"blue"}'),
        fails("apply -f unknown.yaml", 'unknown field "bogus"'),
        ok("apply -f deployment.yaml", "created"),
        ok("apply -f scaled.yaml", "configured"),
        ok("apply view-last-applied deployment/echo", "replicas: 4"),
        ok("replace -f cm.yaml", "replaced"),
        ok("delete -f cm.yaml", "deleted"),
        refused("apply -f cm.yaml -f deployment.yaml --prune --all", "error retrieving RESTMappings to prune"),
    ],
    "Server-side apply": [
        ok("apply --server-side -f cm.yaml --dry-run=server", "serverside-applied (server dry run)"),
        ok("apply --server-side -f cm.yaml", "serverside-applied"),
        fails("apply --server-side --field-manager=b -f green.yaml", 'conflict with "kubectl": .data.colour'),
        ok("apply --server-side --field-manager=b --force-conflicts -f green.yaml", "serverside-applied"),
        ok("diff --server-side --field-manager=b -f green.yaml"),
        ok(MANAGERS, "kubectl", "b"),
        quiet("delete cm web"),
        quiet("apply -f cm.yaml"),
        ok("apply --server-side -f fewer.yaml", "serverside-applied"),
        ok("get cm web -o jsonpath='{.data}'", '{"colour":"blue"}'),
        ok(MANAGERS, "kubectl"),
        ok("apply --server-side -f deployment.yaml", "serverside-applied"),
    ],
    "Get, describe, explain": [
        quiet("create -f cm.yaml"),
        quiet("create cm db --from-literal=engine=sqlite"),
        quiet("create -f gadget.yaml"),
        ok("get cm", "NAME", "DATA", "AGE", "web"),
        ok("get cm web -o wide", "web"),
        ok("get cm web -o yaml", "kind: ConfigMap"),
        ok("get cm web -o json", '"kind": "ConfigMap"'),
        ok("get cm -o name", "configmap/db\nconfigmap/web"),
        ok("get cm web -o jsonpath='{.data.colour}'", "blue"),
        ok("get cm web -o custom-columns=N:.metadata.name,C:.data.colour", "web   blue"),
        ok("get cm -A", "NAMESPACE"),
        ok("get cm -l app=web", "web"),
        ok("get cm -l 'app notin (web)'", "db"),
        ok("get cm --field-selector metadata.name=db -o name", "configmap/db"),
        ok("get cm --sort-by=.data.engine -o name", "web", "db"),
        ok("get cm --chunk-size=1 -o name", "configmap/db\nconfigmap/web"),
        ok("get cm --show-labels", "app=web"),
        ok("get all", "gadget.table.example.org/one"),
        ok("get cm,gt --show-kind --no-headers", "configmap/web", "gadget.table.example.org/one"),
        ok("get gt -o go-template='{{range .items}}{{.metadata.name}}{{end}}'", "one"),
        ok("get gt -o jsonpath-as-json='{.items[*].spec.size}'", "3"),
        fails("get gt --field-selector spec.size=3", "field label not supported: spec.size"),
        ok("get gt", "NAME   SIZE\none    3"),
        ok("get gt -o wide", "COLOUR", "red"),
        stream("get cm -w", "create cm late --from-literal=a=1", "web", "late"),
        stream("get gt one -w", 'patch gt one --type=merge -p \'{"spec":{"size":8}}\'', "3", "8"),
        stream("get cm -w -o name", "create cm later --from-literal=a=1", "configmap/later"),
        stream("get cm -w --output-watch-events", "delete cm late", "ADDED", "DELETED"),
        ok("describe cm web", "colour:\n----\nblue"),
        ok("describe gt one", "Kind:         Gadget", "Colour:  red"),
        ok("describe ns default", "Status:       Active"),
        ok("explain gadgets", "GROUP:      table.example.org"),
        ok("explain gadget.spec.size", "How big it is."),
        ok("explain cm --recursive", "binaryData"),
        ok("api-resources", "configmaps", "gadgets", "gt"),
        ok("api-resources --api-group=table.example.org -o wide", "delete,deletecollection,get,list"),
        ok("api-versions", "v1", "table.example.org/v1"),
        ok("version", "Server Version: v1.34"),
        ok("cluster-info", "is running at https://"),
        ok("get --raw /readyz", "ok"),
        fails("get cm nothing", '(NotFound): configmaps "nothing" not found'),
    ],
    "Change": [
        quiet("create -f cm.yaml"),
        quiet("create -f gadget.yaml"),
        ok('patch cm web -p \'{"data":{"a":"1"}}\'', "patched"),
        ok('patch cm web --type=merge -p \'{"data":{"a":null}}\'', "patched"),
        ok('patch cm web --type=json -p \'[{"op":"add","path":"/data/b","value":"2"}]\'', "patched"),
        ok('patch cm web --type=merge -p \'{"data":{"b":"2"}}\'', "patched (no change)"),
        ok('patch cm web --dry-run=server -p \'{"data":{"z":"1"}}\' -o jsonpath=\'{.data.z}\'', "1"),
        ok(f"patch gt one --subresource=status --type=merge -p '{READY}'", "patched"),
        ok("get gt one --subresource=status -o jsonpath='{.status.conditions[0].type}'", "Ready"),
        fails("patch gt one -p '{}'", "strategic-merge-patch+json is not supported"),
        Row("edit cm web", ("edited",), editor="sed -i s/blue/violet/"),
        ok("get cm web -o jsonpath='{.data.colour}'", "violet"),
        Row("edit gt one", ("edited",), editor="sed -i s/red/grey/"),
        ok("label cm web tier=front", "labeled"),
        fails("label cm web tier=back", "--overwrite is false"),
        ok("label cm web tier=back --overwrite", "labeled"),
        ok("label cm web tier-", "unlabeled"),
        ok("annotate cm -l app=web note=hello", "annotated"),
        ok("annotate cm web note-", "annotated"),
        ok("create -f deployment.yaml", "created"),
        ok("scale deployment echo --replicas=5", "scaled"),
        ok("scale deployment echo --current-replicas=5 --replicas=2", "scaled"),
        fails("scale deployment echo --current-replicas=9 --replicas=1", "Expected replicas to be 9, was 2"),
        ok("scale gt one --replicas=4", "scaled"),
        ok("set image deployment/echo main=example/echo:3", "image updated"),
        ok("set env deployment/echo LEVEL=info", "env updated"),
        ok("set env deployment/echo --list", "LEVEL=info"),
        ok("set resources deployment/echo --limits=cpu=1", "resource requirements updated"),
        ok("set serviceaccount deployment/echo runner", "serviceaccount updated"),
        ok("rollout pause deployment/echo", "paused"),
        fails("rollout pause deployment/echo", "already paused"),
        ok("rollout resume deployment/echo", "resumed"),
        ok("rollout restart deployment/echo", "restarted"),
        ok("rollout status deployment/echo --watch=false", "Waiting for deployment spec update to be observed"),
        ok("rollout history deployment/echo", "No rollout history found"),
        ok("expose deployment echo --port=80", "service/echo exposed"),
        ok("set selector service echo app=other", "selector updated"),
        ok("label cm web --list", "app=web"),
        fails("create -f bad-gadget.yaml", 'The Gadget "one" is invalid: spec.size: Invalid value: 0'),
        fails("apply -f bad-gadget.yaml", "spec.size: Invalid value: 0"),
    ],
    "Wait, delete": [
        quiet("create -f gadget.yaml"),
        fails("wait gt/one --for=condition=Ready --timeout=0.3s", "timed out waiting"),
        stream(
            "wait gt/one --for=condition=Ready --timeout=10s",
            f"patch gt one --subresource=status --type=merge -p '{READY}'",
            "condition met",
        ),
        ok("wait gt/one --for=jsonpath='{.spec.size}'=3 --timeout=5s", "condition met"),
        ok("wait gt/one --for=create --timeout=5s", "condition met"),
        stream("wait gt/one --for=delete --timeout=10s", "delete gt one", "condition met"),
        quiet("create -f gadget.yaml"),
        quiet('patch gt one --type=merge -p \'{"metadata":{"finalizers":["a.example.org/hold"]}}\''),
        ok("delete gt one --wait=false", "deleted"),
        fails("wait gt/one --for=delete --timeout=0.3s", "timed out waiting"),
        stream(
            "delete gt one --wait --timeout=10s",
            'patch gt one --type=merge -p \'{"metadata":{"finalizers":null}}\'',
            "deleted",
        ),
        quiet("create cm owner"),
        quiet("create -f owned.yaml"),
        ok("delete cm owner --cascade=background", "deleted"),
        ok("wait cm/child --for=delete --timeout=5s"),
        quiet("create cm owner"),
        quiet("create -f owned.yaml"),
        ok("delete cm owner --cascade=foreground --timeout=10s", "deleted"),
        ok("get cm child --ignore-not-found"),
        quiet("create cm owner"),
        quiet("create -f owned.yaml"),
        ok("delete cm owner --cascade=orphan", "deleted"),
        ok("get cm child -o name", "configmap/child"),
        ok("delete cm child --dry-run=server", "deleted", "(server dry run)"),
        ok("delete cm child --grace-period=0 --force", "force deleted"),
        quiet("create cm last"),
        ok("delete cm --all", "deleted"),
    ],
    "Create": [
        ok("create cm c --from-literal=a=1", "configmap/c created"),
        fails("create cm c --from-literal=a=1", 'configmaps "c" already exists'),
        ok("create cm dry --dry-run=server", "created (server dry run)"),
        ok("create cm dry --dry-run=client -o yaml", "kind: ConfigMap"),
        ok("create secret generic s --from-literal=p=x", "secret/s created"),
        ok("get secret s -o jsonpath='{.data.p}'", "eA=="),
        ok("create sa runner", "serviceaccount/runner created"),
        ok("create token runner --duration=10m", "."),
        ok("create deployment app --image=i:1 --replicas=2", "deployment.apps/app created"),
        ok("create job once --image=i:1", "job.batch/once created"),
        ok("create role r --verb=get --resource=cm", "role.rbac.authorization.k8s.io/r created"),
        ok("create rolebinding rb --role=r --serviceaccount=default:runner", "created"),
        ok("create clusterrole cr --verb=get --resource=cm", "created"),
        ok("create clusterrolebinding crb --clusterrole=cr --user=u", "created"),
        ok("set subject rolebinding rb --user=ann", "subjects updated"),
        ok("run one --image=i:1 --restart=Never", "pod/one created"),
        ok("create service clusterip svc --tcp=80", "service/svc created"),
        ok("create poddisruptionbudget pdb --selector=a=b --min-available=1", "created"),
        ok("create namespace table-new", "namespace/table-new created"),
        ok("delete namespace table-new --timeout=20s", "deleted"),
        refused("create quota q --hard=pods=1", "the server could not find the requested resource"),
        refused("create cronjob cj --image=i --schedule='* * * * *'", "could not find the requested resource"),
        refused("create ingress i --rule=a/b=svc:80", "could not find the requested resource"),
        refused("create priorityclass pc --value=1", "could not find the requested resource"),
    ],
    "Logs, events": [
        ok("create -f pod.yaml", "pod/p created"),
        ok("logs p", "line 1\nline 2\nline 3"),
        ok("logs p --tail=1", "line 3"),
        ok("logs p -c main --since=1h", "line 3"),
        stream("logs p -f", "version --client", "line 3", "live"),
        fails("logs p -c other", "container other is not valid for pod p"),
        ok("create -f event.yaml", "created"),
        ok("get events --field-selector reason=Grew -o name", "event/e1"),
        ok("events --for pod/p", "it grew"),
        ok("describe pod p", "Image:", "Events:"),
        ok("delete pod p --grace-period=0 --force", "force deleted"),
    ],
    "Access": [
        ok("auth can-i create cm", "yes"),
        ok("auth can-i '*' '*' -A", "yes"),
        ok("auth can-i --list", "*.*"),
        ok("auth whoami", "lambent:admin"),
        fails("get cm --token=wrong", "Unauthorized"),
        ok("config current-context", "lambent"),
    ],
    "Pods as processes, metrics": [
        quiet("create -f pod.yaml"),
        refused("exec p -- true"),
        refused("attach p"),
        refused("port-forward p 8080:80"),
        refused("cp p:/etc/hosts hosts"),
        refused("top pod", "Metrics API not available"),
        refused("drain node", "the server doesn't have a resource type"),
        refused("debug p --image=i", "ephemeral containers are disabled"),
    ],
}

_HEAD = """# kubectl

What kubectl may be used for against the embedded API server (`lambent up`, `lambent kubeserver`). Each line is run by
`tests/kubeserver/test_kubectl_commands.py` with the real kubectl; this page follows from the same table.

RBAC is stored but **not enforced**: the token of the kubeconfig may do everything.
Every line is run with kubectl 1.32, 1.33, 1.34 and 1.35, as far as they are on the machine that runs the tests
(`make kubectl` builds the missing ones). kubectl older than 1.30 is not supported.
"""


def page() -> str:
    """The reference page."""
    parts = [_HEAD]
    for group, rows in GROUPS.items():
        shown = [row for row in rows if row.is_shown and not row.is_refused]
        if shown:
            parts += [f"## {group}\n", *dict.fromkeys(f"* `kubectl {row.line}`{_told(row)}" for row in shown), ""]
    parts += ["## Not supported", "", "Each of these ends with an error."]
    parts.append("Also not: admission webhooks, aggregated API servers, quotas, Nodes and PersistentVolumes;")
    parts.append("`kubectl autoscale` before 1.33, which asks for `autoscaling/v1`.\n")
    parts += [f"* `kubectl {row.line}`" for rows in GROUPS.values() for row in rows if row.is_refused]
    return "\n".join(parts) + "\n"


def _told(row: Row) -> str:
    if row.exit:
        return f": exit code {row.exit}, as it should"
    if row.editor:
        return f" with `EDITOR='{row.editor}'`"
    return f", while `kubectl {row.meanwhile}`" if row.meanwhile else ""


if __name__ == "__main__":
    PAGE.write_text(page())
