"""The seed's documents on a real Kubernetes: the same controllers, the same end state; then nothing is left."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.accounts import kubeconfig_of
from tests.e2e.programs import BIN, EXAMPLE, SEED, Running, clean_environment, lambent, run

pytestmark = [
    pytest.mark.real_k8s,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not SEED.is_dir(), reason="the seed's documents are not beside this checkout"),
]

NAMESPACE = "koreo-examples"
OWNED = (
    "lambdaworkloads",
    "buckets.s3.services.k8s.aws",
    "policies.iam.services.k8s.aws",
    "roles.iam.services.k8s.aws",
    "functions.lambda.services.k8s.aws",
)


# What a user adds for a trigger kind of their own.
TRIGGER_ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: lambdaworkloads
  labels: {lambent.dev/aggregate-to-controller: "true"}
rules:
  # Without a status subresource the status is written to the object itself.
  - {apiGroups: [example.koreo.dev], resources: [lambdaworkloads], verbs: [get, list, watch, patch]}
"""


class Cluster:
    """kubectl and the aws CLI, pointed at the cluster and at our AWS endpoint."""

    def __init__(self, kubeconfig: str, home: Path) -> None:
        self.kubeconfig = kubeconfig
        self.env = clean_environment({"KUBECONFIG": kubeconfig, "HOME": str(home)})
        self.aws_url = ""

    def kubectl(self, *words: str, check: bool = True, text: str = "") -> str:
        return run("kubectl", *words, env=self.env, check=check, text=text)

    def aws(self, *words: str) -> str:
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
        return run(str(BIN / "aws"), "--endpoint-url", self.aws_url, *words, env={**self.env, **keys})

    def clean(self) -> None:
        """Removes what this or an earlier run left, while the controllers run that hold its finalizers."""
        everything = ("-n", NAMESPACE, ",".join(OWNED), "--all")
        self.kubectl("annotate", *everything, "lambent.dev/abandon=true", "--overwrite", check=False)
        self.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=40s")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """CRDs, roles, and our two processes, each with the token of its own service account, on KUBECONFIG's cluster."""
    kubeconfig = os.environ.get("KUBECONFIG", "")
    assert kubeconfig, "make test-cluster needs KUBECONFIG"
    home = tmp_path_factory.mktemp("home")
    cluster = Cluster(kubeconfig, home)
    for text in (lambent("crds"), lambent("manifests"), TRIGGER_ROLE):
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", text=text)
    of_server, of_controller = (
        str(kubeconfig_of(account, Path(kubeconfig), home)) for account in ("lambent-server", "lambent-controller")
    )
    state = str(tmp_path_factory.mktemp("server"))
    server = Running("server", "--kubeconfig", of_server, "--state", state, "--aws-port", "0", "--admin-port", "0")
    try:
        cluster.aws_url = server.wait_for_line("is up").split()[-1]
        words = ("--kubeconfig", of_controller, "--aws-endpoint", cluster.aws_url, "--admin-port", "0")
        controller = Running("controller", *words)
        try:
            controller.wait_for_line("is up")
            cluster.clean()
            yield cluster
            cluster.clean()
        finally:
            assert controller.stop() == 0
    finally:
        assert server.stop() == 0


def test_the_seed_reaches_ready_and_its_function_stores_an_event(cluster: Cluster, tmp_path: Path) -> None:
    cluster.kubectl("create", "namespace", NAMESPACE)
    cluster.kubectl("apply", "-f", str(SEED / "lambda-workload-crd.yaml"))
    cluster.kubectl("wait", "crd/lambdaworkloads.example.koreo.dev", "--for=condition=Established", "--timeout=20s")
    for file in sorted(SEED.glob("*.k.yaml")):
        cluster.kubectl("apply", "-f", str(file))
    image = ("my-lambda-image:0.0.2", "--endpoint-url", cluster.aws_url)
    lambent("image", "build", str(EXAMPLE / "app"), "--handler", "archive.handler", "-t", *image)

    begin = time.monotonic()
    cluster.kubectl("apply", "-f", str(SEED / "hello-lambda-workload.yaml"))
    ready = ("lambdaworkload/hello-lambda-workload", "--for=condition=Ready", "--timeout=40s")
    cluster.kubectl("-n", NAMESPACE, "wait", *ready)
    print(f"cluster: apply to Ready {time.monotonic() - begin:.2f} s")

    event, answer = tmp_path / "event.json", tmp_path / "answer.json"
    event.write_text('{"on": "a cluster"}')
    words = ("--function-name", "hello-lambda-workload", "--payload", f"fileb://{event}")
    told = cluster.aws("lambda", "invoke", *words, str(answer))
    assert json.loads(told)["StatusCode"] == 200
    where = json.loads(answer.read_text())
    assert json.loads(cluster.aws("s3", "cp", f"s3://{where['bucket']}/{where['key']}", "-")) == {"on": "a cluster"}


def test_a_deletion_names_what_blocks_it_and_then_leaves_nothing(cluster: Cluster) -> None:
    buckets = json.loads(cluster.kubectl("-n", NAMESPACE, "get", OWNED[1], "-o", "json"))["items"]
    name, resource = buckets[0]["spec"]["name"], f"{OWNED[1]}/{buckets[0]['metadata']['name']}"
    cluster.kubectl("-n", NAMESPACE, "delete", "lambdaworkload/hello-lambda-workload", "--wait=false")
    cluster.kubectl("-n", NAMESPACE, "wait", resource, "--for=condition=Ready=False", "--timeout=40s")
    blocked = cluster.kubectl("-n", NAMESPACE, "get", resource, "-o", "jsonpath={.status.conditions[*].message}")
    assert "events/" in blocked
    cluster.aws("s3", "rm", f"s3://{name}", "--recursive")
    cluster.kubectl("-n", NAMESPACE, "annotate", resource, "lambent.dev/reconcile=emptied")
    cluster.kubectl("-n", NAMESPACE, "wait", resource, "--for=delete", "--timeout=40s")
    for kind in OWNED:
        cluster.kubectl("-n", NAMESPACE, "wait", kind, "--all", "--for=delete", "--timeout=40s", check=False)
    assert cluster.kubectl("-n", NAMESPACE, "get", ",".join(OWNED), "-o", "name") == ""
    assert cluster.aws("s3", "ls") == ""
    assert json.loads(cluster.aws("lambda", "list-functions"))["Functions"] == []
    local = json.loads(cluster.aws("iam", "list-policies", "--scope", "Local"))
    assert local["Policies"] == []


def test_the_cluster_is_a_real_one(cluster: Cluster) -> None:
    version = json.loads(subprocess.check_output(["kubectl", "version", "-o", "json"], env=cluster.env))
    assert "lambent" not in version["serverVersion"]["gitVersion"]
