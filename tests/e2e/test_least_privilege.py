"""Promise S2: in a whole run each process makes only calls that its role grants, and it needs what it is granted."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambent.kube.types import KubeObject
from lambent.kubeserver import AuditEvent, KubeServer
from lambent.platform import images
from lambent.platform.apply import Applier, read_manifests
from lambent.platform.controller import ControllerDaemon
from lambent.platform.crds import apply_crds
from lambent.platform.demo.steps import NAME, NAMESPACE, OWNED, TRIGGER
from lambent.platform.invocations import boto3_client, invoke
from lambent.platform.manifests import AGGREGATE, AWS_KINDS, manifests
from lambent.platform.objects import wait_for
from lambent.platform.server import ServerDaemon
from lambent.settings import Settings
from tests.e2e.accounts import kubeconfig_of
from tests.e2e.programs import EXAMPLE, has

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not has("kubectl"), reason="kubectl is not installed: no service account tokens"),
]

# The example's own kind: what a user adds for each trigger kind.
TRIGGER_ROLE: KubeObject = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "archives", "labels": {AGGREGATE: "true"}},
    "rules": [  # type: ignore[typeddict-unknown-key]  # of this kind
        {
            "apiGroups": ["example.lambent.dev"],
            "resources": ["eventarchives"],
            "verbs": ["get", "list", "watch", "patch"],
        },
        {"apiGroups": ["example.lambent.dev"], "resources": ["eventarchives/status"], "verbs": ["patch"]},
    ],
}
# Granted and not seen in a run of this length, each with its reason.
UNUSED = {
    ("koreo.dev", "resourcetemplates/status", "patch"): "the example has no template",
    ("example.lambent.dev", "eventarchives", "get"): "read again after a conflict, which a run may have or not",
    ("", "events", "patch"): "nothing happens twice in a run this short",
    **{
        ("", "configmaps", verb): "only records of managed resources above 200 KiB lie in one"
        for verb in ("get", "create", "patch", "delete")
    },
    **{
        (group, plural, "delete"): "workflows may recreate and destroy; the example leaves both to owner references"
        for group, plurals in AWS_KINDS.items()
        for plural in plurals
    },
    ("apiextensions.k8s.io", "customresourcedefinitions", "list"): "a kind that is not there yet is waited for",
    ("apiextensions.k8s.io", "customresourcedefinitions", "watch"): "a kind that is not there yet is waited for",
}

Call = tuple[str, str, str]
"""(group, resource or resource/subresource, verb)."""


def _granted(roles: Iterable[Any]) -> set[Call]:
    return {
        (group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _roles_of(account: str) -> set[Call]:
    every = [*manifests(), TRIGGER_ROLE]
    roles = [obj for obj in every if obj["kind"] in ("ClusterRole", "Role")]
    if account == "lambent-server":
        return _granted(role for role in roles if role["metadata"]["name"] == "lambent-server")
    return _granted(role for role in roles if AGGREGATE in role["metadata"].get("labels", {}) or role["kind"] == "Role")


@asynccontextmanager
async def _cluster(folder: Path, calls: dict[str, set[Call]]) -> AsyncIterator[KubeServer]:
    def note(event: AuditEvent) -> None:
        account = event.user.rpartition(":")[2]
        resource = f"{event.resource}/{event.subresource}" if event.subresource else event.resource
        calls.setdefault(account, set()).add((event.group, resource, event.verb))

    server = KubeServer(state_dir=folder / "kube", audit=note)
    await server.startup("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.shutdown()


async def _whole_run(server: KubeServer, folder: Path) -> None:
    admin = folder / "admin.kubeconfig"
    server.write_kubeconfig(admin)
    kube = server.local_client()
    await apply_crds(kube)
    for obj in manifests():
        await kube.apply(obj, manager="test")
    configs = [
        await asyncio.to_thread(kubeconfig_of, account, admin, folder)
        for account in ("lambent-server", "lambent-controller")
    ]
    settings = Settings(state=folder / "server", kubeconfig=str(configs[0]))
    settings = replace(settings, aws=replace(settings.aws, port=0), admin=replace(settings.admin, port=0))
    async with AsyncExitStack() as stack:
        aws = ServerDaemon(settings)
        stack.push_async_callback(aws.shutdown)
        await aws.startup()
        controller = ControllerDaemon(replace(settings, kubeconfig=str(configs[1]), aws_endpoint=aws.url))
        stack.push_async_callback(controller.shutdown)
        await controller.startup()
        serving = asyncio.create_task(controller.serve())
        try:
            await _provision_and_delete(kube, aws.url)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def _provision_and_delete(kube: Any, url: str) -> None:
    await images.build_and_push(EXAMPLE / "app", handler="archive.handler", tag="my-lambda-image:0.0.2", registry=url)
    documents = read_manifests([EXAMPLE / "manifests", EXAMPLE / "archive.yaml"])
    assert await Applier(kube, create_namespace=False, tell=print).apply(documents) == 0

    def is_ready(obj: KubeObject | None) -> bool:
        conditions = obj.get("status", {}).get("conditions", []) if obj else []
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    await wait_for(kube, TRIGGER, NAME, is_ready, namespace=NAMESPACE)
    client = boto3_client("lambda", url, "us-east-1")
    assert not (await asyncio.to_thread(invoke, client, NAME, b"{}")).function_error
    await asyncio.to_thread(_use_the_control_plane, client)
    await kube.delete(TRIGGER, NAME, namespace=NAMESPACE)
    for gvk in OWNED.values():
        await wait_for(kube, gvk, NAME, lambda obj: obj is None, namespace=NAMESPACE)


def _use_the_control_plane(client: Any) -> None:
    """What the example does not: versions, aliases, changes."""
    client.update_function_configuration(FunctionName=NAME, Description="changed")
    client.get_waiter("function_updated_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    client.publish_version(FunctionName=NAME)
    client.put_function_event_invoke_config(FunctionName=NAME, Qualifier="1", MaximumRetryAttempts=1)
    client.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1")
    client.update_alias(FunctionName=NAME, Name="live", Description="changed")
    client.list_versions_by_function(FunctionName=NAME)
    client.list_aliases(FunctionName=NAME)
    client.list_functions()
    client.delete_alias(FunctionName=NAME, Name="live")


async def test_every_call_of_a_whole_run_is_granted_and_every_grant_is_needed(tmp_path: Path) -> None:
    calls: dict[str, set[Call]] = {}
    async with asyncio.timeout(50), _cluster(tmp_path, calls) as server:
        await _whole_run(server, tmp_path)
    for account in ("lambent-server", "lambent-controller"):
        granted, made = _roles_of(account), calls[account]
        assert made - granted == set(), f"{account} makes calls that its role does not grant"
        assert granted - made - set(UNUSED) == set(), f"{account} is granted what it does not need"


def test_no_role_grants_a_star_or_secrets() -> None:
    for account in ("lambent-server", "lambent-controller"):
        for group, resource, verb in _roles_of(account):
            assert "*" not in (group, resource, verb)
            assert resource != "secrets"
