"""Real kubectl against the embedded server, over TLS, with the kubeconfig it writes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lambent.kubeserver import KubeServer
from tests.kubeserver.kubectl_programs import chosen

REAL_TIME = True
KUBECTL = chosen()
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        KUBECTL is None, reason="kubectl is not installed: the foreign client of these tests is missing"
    ),
]

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.test.example.org}
spec:
  group: test.example.org
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList, shortNames: [gt]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties: {size: {type: integer, minimum: 1}, colour: {type: string, default: red}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
GADGET = "apiVersion: test.example.org/v1\nkind: Gadget\nmetadata: {name: one}\nspec: {size: %s}\n"


class Kubectl:
    def __init__(self, home: Path) -> None:
        self._home = home
        self._env = {"HOME": str(home), "KUBECONFIG": str(home / "config"), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}

    async def __call__(self, *words: str, stdin: str = "") -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            KUBECTL or "kubectl",
            *words,
            cwd=self._home,
            env=self._env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 30)
        return process.returncode or 0, out.decode(), err.decode()

    async def ok(self, *words: str, stdin: str = "") -> str:
        code, out, err = await self(*words, stdin=stdin)
        assert code == 0, err
        return out


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    server = KubeServer(state_dir=tmp_path / "state")
    await server.startup("127.0.0.1", 0)
    server.write_kubeconfig(tmp_path / "config")
    yield Kubectl(tmp_path)
    await server.shutdown()


async def test_a_custom_kind_lives_its_whole_life(kubectl):
    assert "created" in await kubectl.ok("create", "namespace", "shop")
    await kubectl.ok("apply", "-f", "-", stdin=CRD)
    await kubectl.ok("wait", "--for=condition=Established", "crd/gadgets.test.example.org", "--timeout=10s")
    assert (
        await kubectl.ok("-n", "shop", "apply", "-f", "-", stdin=GADGET % 3) == "gadget.test.example.org/one created\n"
    )
    assert (
        await kubectl.ok("-n", "shop", "apply", "-f", "-", stdin=GADGET % 3)
        == "gadget.test.example.org/one unchanged\n"
    )
    assert "configured" in await kubectl.ok("-n", "shop", "apply", "-f", "-", stdin=GADGET % 5)
    ready = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'
    await kubectl.ok("-n", "shop", "patch", "gt", "one", "--subresource=status", "--type=merge", "-p", ready)
    table = await kubectl.ok("-n", "shop", "get", "gt")
    assert [line.split()[:3] for line in table.splitlines()] == [["NAME", "SIZE", "READY"], ["one", "5", "True"]]
    await kubectl.ok("-n", "shop", "wait", "gt/one", "--for=condition=Ready", "--timeout=10s")
    assert await kubectl.ok("-n", "shop", "get", "gt", "one", "-o", "jsonpath={.spec.colour}") == "red"
    assert "Size:    5" in await kubectl.ok("-n", "shop", "describe", "gt", "one")
    assert "deleted" in await kubectl.ok("-n", "shop", "delete", "gt", "one")
    assert "deleted" in await kubectl.ok("delete", "crd", "gadgets.test.example.org")
    assert "deleted" in await kubectl.ok("delete", "namespace", "shop", "--timeout=20s")


async def test_a_wrong_object_is_refused_with_its_field_path(kubectl):
    await kubectl.ok("apply", "-f", "-", stdin=CRD)
    code, _, err = await kubectl("apply", "-f", "-", stdin=GADGET % 0)
    assert code == 1
    assert "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1" in err


async def test_a_wrong_token_is_unauthorized(kubectl):
    code, _, err = await kubectl("get", "configmaps", "--token=wrong")
    assert code == 1
    assert "Unauthorized" in err or "logged in" in err
