"""Random lives of the four kinds: edits, foreign edits, references, annotations, faults, restarts; what always holds.

At every AWS write: the object has our finalizer, is not read-only, and the resource is no stranger's. At rest: the
conditions speak the known words in the known order, and a resync writes nothing.
"""

import json
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.clock import VirtualTimeLoop
from lambent.kube.errors import NotFound
from lambent.resources.fake.world import World
from lambent.resources.kinds import TIER_1

KINDS = {kind.kind: kind for kind in TIER_1}
ORDER = [
    "ACK.Terminal",
    "ACK.Recoverable",
    "ACK.ReferencesResolved",
    "ACK.LateInitialized",
    "ACK.Advisory",
    "ACK.ResourceSynced",
    "Ready",
]
MANAGED = "arn:aws:iam::aws:policy/"


def document(number):
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": f"s3:A{number}", "Resource": "*"}]})


BASE: dict[str, dict[str, Any]] = {
    "Bucket": {"name": "mine"},
    "Policy": {"name": "mine", "policyDocument": document(0)},
    "Role": {"name": "mine", "assumeRolePolicyDocument": document(0)},
    "Function": {
        "name": "mine",
        "roleRef": {"from": {"name": "o"}},
        "packageType": "Image",
        "code": {"imageURI": "image:0"},
    },
}
EDITS: dict[str, list[dict[str, Any]]] = {
    "Bucket": [
        {"versioning": {"status": "Enabled"}},
        {"versioning": None},
        {"tagging": {"tagSet": [{"key": "a", "value": "1"}]}},
        {"tagging": None},
        {"cors": {"corsRules": [{"allowedMethods": ["GET"], "allowedOrigins": ["*"]}]}},
        {"cors": None},
    ],
    "Policy": [{"policyDocument": document(n)} for n in (1, 2)]
    + [{"tags": [{"key": "a", "value": "1"}]}, {"tags": None}],
    "Role": [
        {"policyRefs": [{"from": {"name": "o"}}]},
        {"policyRefs": None},
        {"policies": [f"{MANAGED}A"]},
        {"policies": None},
        {"inlinePolicies": {"one": document(1)}},
        {"inlinePolicies": None},
        {"description": "text"},
        {"description": ""},
    ],
    "Function": [
        {"code": {"imageURI": "image:1"}},
        {"timeout": 9, "description": "text"},
        {"timeout": None},
        {"reservedConcurrentExecutions": 3},
        {"reservedConcurrentExecutions": None},
        {"environment": {"variables": {"A": "1"}}},
        {"environment": None},
    ],
}
ANNOTATIONS: list[dict[str, Any]] = [
    {"services.k8s.aws/deletion-policy": "retain"},
    {"services.k8s.aws/deletion-policy": None},
    {"services.k8s.aws/read-only": "true"},
    {"services.k8s.aws/read-only": None},
    {"lambent.dev/reconcile": "now"},
]
FAULTS = [("Throttling", 400), ("AccessDenied", 403), ("InternalError", 500), ("ConcurrentModification", 409)]
kind_names = st.sampled_from(sorted(BASE))
steps = st.one_of(
    st.tuples(st.just("create"), kind_names, st.just(0)),
    st.tuples(st.just("edit"), kind_names, st.integers(0, 7)),
    st.tuples(st.just("edit"), kind_names, st.integers(0, 7)),
    st.tuples(st.just("annotate"), kind_names, st.integers(0, len(ANNOTATIONS) - 1)),
    st.tuples(st.just("foreign"), kind_names, st.just(0)),
    st.tuples(st.just("fault"), kind_names, st.integers(0, len(FAULTS) - 1)),
    st.tuples(st.just("delete"), kind_names, st.just(0)),
    st.tuples(st.just("restart"), st.just(""), st.just(0)),
    st.tuples(st.just("wait"), st.just(""), st.integers(0, 3)),
)


class Life:
    """One sequence with its watchman over the AWS calls."""

    def __init__(self):
        self.world = World()
        self.broken: list[str] = []
        self.strangers: set[str] = set()
        self.perform = self.world.aws.perform
        self.world.aws.perform = self.watched  # type: ignore[method-assign]

    async def watched(self, service, operation, params):
        if not operation.startswith(("Get", "List", "Head")):
            self.judge(operation, params)
        return await self.perform(service, operation, params)

    def judge(self, operation, params):
        kind = self.kind_of(operation, params)
        obj = self.world.kube.peek(KINDS[kind].gvk, "o", "default")
        meta: Any = obj["metadata"] if obj else {}
        annotations = meta.get("annotations", {})
        if kind in self.strangers and operation != "CreateRole":  # which AWS then refuses
            self.broken.append(f"{operation} touches a stranger's resource")
        if KINDS[kind].finalizer not in meta.get("finalizers", ()):
            self.broken.append(f"{operation} without a finalizer")
        if annotations.get("services.k8s.aws/read-only") == "true" and not self.may_be_late:
            self.broken.append(f"{operation} of a read-only object")
        retained = annotations.get("services.k8s.aws/deletion-policy") == "retain"
        if meta.get("deletionTimestamp") and retained and not self.may_be_late:
            self.broken.append(f"{operation} of a retained object that is being deleted")

    may_be_late = False

    @staticmethod
    def kind_of(operation, params):
        if "Bucket" in params:
            return "Bucket"
        if "FunctionName" in params or "Resource" in params:
            return "Function"
        return "Role" if "RoleName" in params else "Policy"

    async def run(self, sequence):
        await self.world.start()
        try:
            for verb, kind, number in sequence:
                await getattr(self, verb)(kind, number)
            await self.at_rest()
        finally:
            await self.world.stop()
        assert self.broken == []

    async def create(self, kind, _):
        if self.world.peek(kind, "o") is None:
            await self.world.apply(kind, "o", BASE[kind])

    async def edit(self, kind, number):
        with suppress(NotFound):
            await self.world.edit(kind, "o", EDITS[kind][number % len(EDITS[kind])])

    async def annotate(self, kind, number):
        """A pass that is under way may still write for some milliseconds after the annotation came."""
        self.may_be_late = True
        with suppress(NotFound):
            await self.world.edit(kind, "o", annotations=ANNOTATIONS[number])
        await self.world.rest(0.05)
        self.may_be_late = False

    async def foreign(self, kind, _):
        """Somebody changes or makes something by hand."""
        aws = self.world.aws
        recorded = "arn" in self.world.status(kind, "o").get("ackResourceMetadata", {})
        if kind == "Role" and "mine" not in aws.iam.roles and not recorded:
            aws.iam.create_role(RoleName="mine", AssumeRolePolicyDocument=document(9))
            self.strangers.add("Role")
        elif kind == "Role" and "mine" in aws.iam.roles:
            aws.iam.attach_role_policy(RoleName="mine", PolicyArn=f"{MANAGED}Foreign")
        if kind == "Function" and "mine" in aws.functions.functions:
            aws.functions.functions["mine"]["configuration"]["Timeout"] = 77
        if kind == "Bucket" and "mine" in aws.s3.buckets:
            aws.s3.buckets["mine"]["subs"].pop("CORSConfiguration", None)

    async def fault(self, kind, number):
        code, status = FAULTS[number]
        operation = {"Bucket": "HeadBucket", "Policy": "GetPolicy", "Role": "AttachRolePolicy"}.get(kind, "GetFunction")
        self.world.aws.fail(operation, code, "injected", status=status, times=2)

    async def delete(self, kind, _):
        with suppress(NotFound):
            await self.world.delete(kind, "o")

    async def restart(self, _kind, _number):
        await self.world.stop()
        await self.world.start()

    async def wait(self, _kind, number):
        await self.world.rest([0.0, 0.1, 2.0, 700.0][number])

    async def at_rest(self):
        await self.world.rest(2000)
        mark = len(self.world.aws.calls)
        await self.world.rest(700)
        assert self.world.writes_since(mark) == []
        for kind in KINDS:
            self.check(kind)

    def check(self, kind):
        status = self.world.status(kind, "o")
        types = [item["type"] for item in status.get("conditions", ())]
        assert types == sorted(types, key=ORDER.index)
        obj = self.world.peek(kind, "o")
        if obj is not None and not self.waits(kind):
            assert self.world.is_synced(kind, "o"), self.world.describe()

    def waits(self, kind):
        """Being deleted but blocked, or referring to something that is not there, or only looking."""
        obj = self.world.peek(kind, "o")
        assert obj is not None
        meta: Any = obj["metadata"]
        status = self.world.condition(kind, "o", "ACK.ReferencesResolved").get("status", "True")
        held = meta.get("annotations", {}).get("services.k8s.aws/read-only") == "true"
        left = self.world.condition(kind, "o", "ACK.Terminal").get("message") == "Resource already exists"
        return bool(meta.get("deletionTimestamp")) or status != "True" or held or left


@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.booleans(), st.permutations(sorted(BASE)), st.lists(steps, min_size=3, max_size=12))
def test_whatever_happens_ends_in_rest_and_harms_nobody(has_stranger, kinds, sequence):
    before = [("foreign", "Role", 0)] if has_stranger else []
    sequence = [*before, *(("create", kind, 0) for kind in kinds), *sequence]
    loop = VirtualTimeLoop()
    try:
        loop.run_until_complete(loop.create_task(live(sequence)))
    finally:
        loop.close()


async def live(sequence):
    await Life().run(sequence)
