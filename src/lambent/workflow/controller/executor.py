"""Carries out the effects of a pass on the cluster, concurrently, and feeds the answers back.

The pass decides, this module only asks: get, create, patch, apply, delete. A read whose answer is at hand asks nobody.
A refusal of the server becomes an answer, never an exception. The time limit of a step begins with its first effect
that leaves, that of the workflow with the pass. What the pass evaluates, it evaluates in turns (`pacing`).
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol, cast

from lambent.kube.client import KubeClient
from lambent.kube.errors import Conflict, KubeError, NotFound
from lambent.kube.types import GVK, KubeObject, Preconditions
from lambent.workflow.controller.pacing import Pacer
from lambent.workflow.engine import Answer, Effect, Found, Read, Refused, ResourceRef, RunResult, TimedOut, WorkflowPass
from lambent.workflow.engine.marks import is_own_conflict
from lambent.workflow.engine.planner import Plan
from lambent.workflow.engine.refusals import UNKNOWN_KIND

_log = logging.getLogger(__name__)


class Attendant(Protocol):
    """What stands around the effects of a pass: watches, caches, finalizers."""

    def at_hand(self, effect: Effect) -> Found | None:
        """The answer to a read that needs no request."""
        ...

    async def prepare(self, effect: Effect) -> None:
        """Awaited before each effect that leaves. Raises KubeError."""

    async def observed(self, effect: Read, obj: KubeObject | None) -> bool:
        """Awaited after each live read, with None where nothing is; True asks to read it again. Raises KubeError."""
        ...

    def wrote(self, effect: Effect, obj: KubeObject | None) -> None:
        """Called after each write with what it made of the object, None when that is not known: deleted, no answer."""


def gvk_of(ref: ResourceRef) -> GVK:
    return GVK.parse(ref.api_version, ref.kind)


async def carry_out(
    pass_: WorkflowPass, client: KubeClient, *, timeout_s: float, attendant: Attendant, pacer: Pacer
) -> RunResult:
    """Runs a pass to its end."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout_s
    deadlines: dict[str, float] = {}
    answers: asyncio.Queue[tuple[Effect, Answer]] = asyncio.Queue()
    open_ = 0

    async def work(effect: Effect, deadline: float) -> None:
        await answers.put((effect, await _answer(client, effect, deadline, attendant)))

    async with asyncio.TaskGroup() as group:
        pass_.launch()
        while open_ or not pass_.is_waiting:
            while pass_.is_waiting or not answers.empty():
                pass_.take(*await answers.get())
                open_ -= 1
            async with pacer.turn() as is_over:
                leaving = _advance(pass_, attendant, is_over)
            for effect in leaving:
                deadline = deadlines.setdefault(effect.step, loop.time() + effect.timeout_s)
                group.create_task(work(effect, min(deadline, end)))
                open_ += 1
    assert pass_.result is not None
    return pass_.result


def _advance(pass_: WorkflowPass, attendant: Attendant, is_over: Callable[[], bool]) -> list[Effect]:
    """One turn of a pass; the effects that nothing at hand answers."""
    leaving = []
    while not pass_.is_waiting:
        for effect in pass_.advance(is_over):
            if (found := attendant.at_hand(effect)) is not None:
                pass_.take(effect, found)
            else:
                leaving.append(effect)
        if is_over():
            break
    return leaving


async def _answer(client: KubeClient, effect: Effect, deadline: float, attendant: Attendant) -> Answer:
    try:
        async with asyncio.timeout_at(deadline) as limit:
            await attendant.prepare(effect)
            if isinstance(effect, Read):
                return await _read(client, effect, attendant)
            written = None
            try:
                written = await _write(client, effect)
            finally:
                attendant.wrote(effect, written)
            return _found(written)
    except TimeoutError:
        return TimedOut() if limit.expired() else Refused(0, "the request timed out")
    except KubeError as error:
        return refused(error)
    except Exception as error:  # noqa: BLE001 - the catch-all of one effect: a defect costs its step, not the siblings
        _log.exception("a request of a workflow step failed unforeseen", extra={"step": effect.step})
        return Refused(0, f"unexpected {type(error).__name__}")


def refused(error: KubeError) -> Refused:
    """An error of the client as an answer; its text names verb and object, never their contents."""
    reason = error.status_reason or type(error).__name__
    return Refused(error.code or (error.http_status if error.what else 0), error.message, reason, error.retry_after_s)


async def _read(client: KubeClient, effect: Read, attendant: Attendant) -> Answer:
    ref, gvk = effect.ref, gvk_of(effect.ref)
    # The watch may have had to be started for it.
    if (found := attendant.at_hand(effect)) is not None:
        return found
    try:
        await client.resolve(gvk)
    except NotFound:
        return Refused(404, f"the server does not serve {ref.kind} of {ref.api_version}", UNKNOWN_KIND)
    obj = await _get(client, effect.ref)
    if await attendant.observed(effect, obj):
        obj = await _get(client, effect.ref)
        await attendant.observed(effect, obj)
    return _found(obj)


async def _get(client: KubeClient, ref: ResourceRef) -> KubeObject | None:
    """As the caches have it: what a pass computes must not depend on where it read."""
    try:
        obj = await client.get(gvk_of(ref), ref.name, namespace=ref.namespace or None)
    except NotFound:
        return None
    obj["metadata"].pop("managedFields", None)
    return obj


def _found(obj: KubeObject | None) -> Found:
    return Found(cast(dict[str, Any] | None, obj))


async def _write(client: KubeClient, effect: Effect) -> KubeObject | None:
    assert not isinstance(effect, Read)
    plan, ref, gvk = effect.plan, effect.ref, gvk_of(effect.ref)
    namespace = ref.namespace or None
    body = cast(KubeObject, plan.body)
    if plan.action == "create":
        return await client.create(body, manager=plan.manager)
    if plan.action == "apply":
        return await _apply(client, body, plan)
    if plan.action == "delete":
        seen = Preconditions(plan.uid or None, plan.resource_version or None)
        await client.delete(gvk, ref.name, namespace=namespace, preconditions=seen)
        return None
    patch = dict(plan.body or {})
    if plan.resource_version:
        patch["metadata"] = {**patch.get("metadata", {}), "resourceVersion": plan.resource_version}
    return await client.patch(gvk, ref.name, patch, namespace=namespace, manager=plan.manager)


async def _apply(client: KubeClient, body: KubeObject, plan: Plan) -> KubeObject:
    """By force where the plan says so, or all that is in the way is our own."""
    try:
        return await client.apply(body, manager=plan.manager, force=plan.force)
    except Conflict as error:
        if not error.causes or not all(is_own_conflict(*cause, plan.manager) for cause in error.causes):
            raise
        return await client.apply(body, manager=plan.manager, force=True)
