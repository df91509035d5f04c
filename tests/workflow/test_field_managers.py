"""Functions that apply to one object: each has a field manager of its own, so that none removes what another one set.

Against the embedded API server, which keeps managedFields as real ones do.
"""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import yaml

from lambent.kube.types import GVK, KubeObject
from lambent.kubeserver import KubeServer
from lambent.kubeserver.local import LocalClient
from lambent.workflow.controller.executor import carry_out
from lambent.workflow.controller.pacing import Pacer
from lambent.workflow.engine import Effect, Found, Ok, Outcome, Owner, Read, Workflow, WorkflowPass, load_catalog
from lambent.workflow.engine.marks import COMMON_MANAGER, field_manager
from lambent.workflow.engine.patches import stamped
from lambent.workflow.spec import load_text

_CONFIG_MAP = GVK("", "v1", "ConfigMap")
_BODY: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "shared", "namespace": "default"},
}
_OWNERS = tuple(Owner("v1", "ConfigMap", name, f"uid-of-{name}", "default") for name in ("t1", "t2"))


class _Writes:
    """An attendant that only counts writes that were done."""

    def __init__(self) -> None:
        self.done = 0

    def at_hand(self, effect: Effect) -> Found | None:
        return None

    async def prepare(self, effect: Effect) -> None:
        return

    async def observed(self, effect: Read, obj: KubeObject | None) -> bool:
        return False

    def wrote(self, effect: Effect, obj: KubeObject | None) -> None:
        self.done += obj is not None


@pytest.fixture
async def client() -> AsyncIterator[LocalClient]:
    server = KubeServer(state_dir=None)
    await server.open()
    try:
        yield server.local_client()
    finally:
        await server.shutdown()


def _documents(apply: dict[str, Any], **data: dict[str, Any]) -> str:
    """A workflow whose steps run one function each, which sets these keys of the shared object."""
    api = {"apiVersion": "v1", "kind": "ConfigMap", "name": "shared", "namespace": "default", "owned": False}
    head = {"apiVersion": "koreo.dev/v1beta1"}
    found: list[dict[str, Any]] = []
    for name, given in data.items():
        spec = {"apiConfig": api, "resource": {"data": given}, "update": {"apply": apply}}
        found.append({**head, "kind": "ResourceFunction", "metadata": {"name": name}, "spec": spec})
    steps = [{"label": name, "ref": {"kind": "ResourceFunction", "name": name}} for name in data]
    found.append({**head, "kind": "Workflow", "metadata": {"name": "w"}, "spec": {"steps": steps}})
    return yaml.safe_dump_all(found, sort_keys=False)


async def _pass(client: LocalClient, text: str, owner: Owner) -> tuple[int, dict[str, Outcome]]:
    """How much was written, and what each step came to."""
    catalog, writes = load_catalog(load_text(text)[0]), _Writes()
    workflow = catalog.resolve("Workflow", "w", "")
    assert isinstance(workflow, Workflow)
    pass_ = WorkflowPass(workflow, {}, catalog, owner=owner)
    result = await carry_out(pass_, client, timeout_s=60, attendant=writes, pacer=Pacer())
    return writes.done, {label: step.outcome for label, step in result.steps.items()}


async def _data(client: LocalClient) -> dict[str, Any]:
    found = cast(dict[str, Any], await client.get(_CONFIG_MAP, "shared", namespace="default"))
    return cast(dict[str, Any], found.get("data") or {})


@pytest.mark.parametrize("options", [{}, {"force": True}], ids=["plain", "forced"])
async def test_two_functions_that_apply_to_one_object_end_with_the_fields_of_both(
    client: LocalClient, options: dict[str, Any]
):
    text = _documents(options, one={"a": "1", "c": "0"}, two={"b": "2"})
    for _ in range(4):
        await _pass(client, text, _OWNERS[0])
    assert await _pass(client, text, _OWNERS[0]) == (0, {"one": Ok(None), "two": Ok(None)})
    assert await _data(client) == {"a": "1", "b": "2", "c": "0"}
    text = _documents(options, one={"a": "3", "c": "0"}, two={"b": "4"})
    for _ in range(4):
        await _pass(client, text, _OWNERS[0])
    assert await _pass(client, text, _OWNERS[0]) == (0, {"one": Ok(None), "two": Ok(None)})
    assert await _data(client) == {"a": "3", "b": "4", "c": "0"}


async def test_one_function_of_two_triggers_is_two_writers(client: LocalClient):
    texts = [_documents({}, one={key: "1"}) for key in "ab"]
    for _ in range(4):
        for text, owner in zip(texts, _OWNERS, strict=True):
            await _pass(client, text, owner)
    for text, owner in zip(texts, _OWNERS, strict=True):
        assert await _pass(client, text, owner) == (0, {"one": Ok(None)})
    assert await _data(client) == {"a": "1", "b": "1"}


async def test_a_field_that_two_functions_want_otherwise_stays_as_it_is_and_the_other_one_is_told(client: LocalClient):
    text = _documents({}, one={"a": "1"}, two={"a": "2"})
    for _ in range(4):
        await _pass(client, text, _OWNERS[0])
    kept = (await _data(client))["a"]
    written, outcomes = await _pass(client, text, _OWNERS[0])
    loser, winner = ("two", "one") if kept == "1" else ("one", "two")
    assert (written, outcomes[winner]) == (0, Ok(None))
    assert f' with "lambent:{winner}:' in str(outcomes[loser])


@pytest.mark.parametrize("way", ["applied", "created"])
async def test_what_was_written_under_the_common_name_is_no_conflict(client: LocalClient, way: str):
    before = cast(KubeObject, stamped({**_BODY, "data": {"a": "1"}}, "somebody"))
    if way == "applied":
        await client.apply(before, manager=COMMON_MANAGER)
    else:
        await client.create(before, manager=COMMON_MANAGER)
    text = _documents({}, one={"a": "2"})
    written, _ = await _pass(client, text, _OWNERS[0])
    assert (written, await _data(client)) == (1, {"a": "2"})
    assert await _pass(client, text, _OWNERS[0]) == (0, {"one": Ok(None)})


def test_the_name_fits_the_api_and_tells_writers_apart():
    name = "a" * 253
    managers = {field_manager(name, writer) for writer in ("x for Trigger/ns/a", "x for Trigger/ns/b")}
    assert len(managers) == 2
    assert max(len(manager.encode()) for manager in managers) <= 128
    # Stable, since a server remembers it longer than any process lives.
    assert field_manager("thing", "f for T/ns/a") == "lambent:thing:e967e42cf8b7"
