"""A stored function or version, read from its Kubernetes object.

Who wrote the object last decides its revision. Our facade writes `spec.revision {content, id, generation, ..}` with
every change, `generation` being the one that write creates; when `metadata.generation` is ahead of it, somebody edited
the spec directly, and both are derived from uid and generation. `content` changes with code and configuration, `id` is
AWS's RevisionId. The controller notes in `status.settledRevision` which content it has brought to an end; until it
equals the wanted content the function is Pending or its update InProgress. So the state that callers see follows from
one object, and no write has to touch spec and status at once.
"""

import hashlib
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from lambent.aws.arn import LATEST, FunctionId
from lambent.functions.artifacts import Artifact
from lambent.functions.configuration import Configuration, loaded
from lambent.kube.types import KubeObject

CREATING = "The function is being created."
_SETTLED_STATE = ("state", "stateReason", "stateReasonCode")
_SETTLED_UPDATE = ("lastUpdateStatus", "lastUpdateStatusReason", "lastUpdateStatusReasonCode")


@dataclass(frozen=True, slots=True)
class CodeRef:
    """Code that is in our hands: an archive in the artifact store, or an image by digest. Sizes in bytes."""

    artifact: Artifact | None = None
    image_uri: str = ""
    digest: str = ""

    @property
    def code_sha256(self) -> str:
        return self.artifact.code_sha256 if self.artifact else self.digest.removeprefix("sha256:")

    @property
    def size(self) -> int:
        return self.artifact.size if self.artifact else 0

    def to_fields(self) -> dict[str, Any]:
        if self.artifact:
            return {"artifact": {"sha256": self.artifact.sha256, "size": self.artifact.size}}
        return {"imageUri": self.image_uri, "digest": self.digest}

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> "CodeRef | None":
        """None when the fields name a source that nobody has fetched yet."""
        artifact = fields.get("artifact")
        if artifact:
            return cls(artifact=Artifact(artifact["sha256"], artifact["size"]))
        if fields.get("digest"):
            return cls(image_uri=fields.get("imageUri", ""), digest=fields["digest"])
        return None


def source_digest(code: dict[str, Any]) -> str:
    """What tells whether `spec.code` still names the source that `status.code` was fetched from."""
    return hashlib.sha256(orjson.dumps(code, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Revision:
    """`supersedes` is the `status.revisionId` that a change of settings, and of nothing else, outdates."""

    content: str
    id: str
    supersedes: str


@dataclass(frozen=True)
class FunctionRecord:
    """`obj` is a LambdaFunction or LambdaFunctionVersion; `id` where its name, account and region stand."""

    obj: KubeObject
    id: FunctionId

    @property
    def spec(self) -> dict[str, Any]:
        return self.obj.get("spec", {})

    @property
    def status(self) -> dict[str, Any]:
        return self.obj.get("status", {})

    @property
    def version(self) -> str:
        return str(self.spec.get("version", LATEST))

    @cached_property
    def configuration(self) -> Configuration:
        return loaded(self.spec, self.id.name)

    @cached_property
    def code(self) -> CodeRef | None:
        """From the spec, or what the controller fetched from the source that the spec names."""
        source, fetched = self.spec.get("code", {}), self.status.get("code", {})
        is_fetched = fetched.get("source") == source_digest(source)
        return CodeRef.from_fields(source) or (CodeRef.from_fields(fetched) if is_fetched else None)

    @cached_property
    def revision(self) -> Revision:
        meta, stored = self.obj["metadata"], self.spec.get("revision", {})
        generation = meta.get("generation", 1)
        if stored.get("generation") == generation:
            return Revision(str(stored["content"]), str(stored["id"]), stored.get("supersedes", ""))
        derived = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{meta.get('uid', '')}:{generation}"))
        return Revision(derived, derived, "")

    @property
    def content(self) -> str:
        """The revision of code and configuration that the spec as it stands asks for."""
        return self.revision.content

    @property
    def is_settled(self) -> bool:
        return bool(self.status.get("settledRevision") == self.content)

    @property
    def is_pending(self) -> bool:
        return "state" not in self.status and not self.is_born_active

    @property
    def is_born_active(self) -> bool:
        """A version published from a function that was Active and idle."""
        return bool(self.spec.get("bornActive"))

    @property
    def revision_id(self) -> str:
        """AWS's RevisionId: of the later one of the last change of the spec and the controller's last write."""
        given = self.status.get("revisionId", "")
        if self.version != LATEST or not self.is_settled or self.revision.supersedes == given:
            return self.revision.id
        return str(given)

    @property
    def last_modified(self) -> str:
        at = self.spec.get("revision", {}).get("at")
        if at:
            return str(at)
        return self.obj["metadata"].get("creationTimestamp", "").replace("Z", ".000+0000")

    @property
    def last_version(self) -> int:
        return int(self.status.get("lastVersion", 0))

    def state_members(self) -> dict[str, Any]:
        """State and LastUpdateStatus with their reasons, as GetFunctionConfiguration shows them."""
        if "state" not in self.status:
            if self.is_born_active:
                return {"State": "Active", "LastUpdateStatus": "Successful"}
            return {"State": "Pending", "StateReason": CREATING, "StateReasonCode": "Creating"}
        members = {key: self.status[key] for key in _SETTLED_STATE if self.status.get(key)}
        if self.is_settled:
            members |= {key: self.status[key] for key in _SETTLED_UPDATE if self.status.get(key)}
        else:
            members |= dict(zip(_SETTLED_UPDATE, ("InProgress", CREATING, "Creating"), strict=True))
        return {key[:1].upper() + key[1:]: value for key, value in members.items()}


def read_record(obj: KubeObject, *, account: str, region: str) -> FunctionRecord:
    """`account` and `region` stand in where the spec leaves them out, as does the object's name."""
    spec = obj.get("spec", {})
    name = spec.get("functionName") or obj["metadata"]["name"]
    return FunctionRecord(obj, FunctionId(str(spec.get("accountId", account)), spec.get("region", region), name))
