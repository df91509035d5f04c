"""From a Kubernetes object to the Subject of a pass: normal spec, region, account, default tags.

Pure. Region: what the status records, then the object's annotation, then the namespace's, then the setting. An object
whose annotation or account disagrees with its status is refused, since its resource lives elsewhere.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from lambent.kube.types import KubeObject
from lambent.resources import schema
from lambent.resources.declaration import Kind, Subject
from lambent.resources.settings import ResourceSettings

PREFIX = "services.k8s.aws/"
RECORDS_ANNOTATION = "lambent.dev/declared"


def subject_of(
    kind: Kind, obj: KubeObject, *, namespace_annotations: Mapping[str, str], settings: ResourceSettings
) -> Subject:
    """References are not resolved yet (`references.resolve`)."""
    status = obj.get("status") or {}
    records = records_of(obj)
    recorded = status.get("ackResourceMetadata") or {}
    return Subject(
        obj=obj,
        spec=schema.normal(kind.spec, obj.get("spec") or {}),
        namespace=obj["metadata"].get("namespace", ""),
        account_id=settings.account_id,
        region=str(recorded.get("region") or wanted_region(obj, namespace_annotations) or settings.region),
        partition=settings.partition,
        tags=default_tags(kind, obj, settings),
        declared=frozenset(records.get("declared") or ()),
        records=records,
        recorded_arn=str(recorded.get("arn") or ""),
    )


def records_of(obj: KubeObject) -> Mapping[str, Any]:
    """What earlier passes remembered: in the status, or in the annotation where the definition has no place for it."""
    kept = (obj.get("status") or {}).get("lambent")
    if kept is not None:
        return dict(kept)
    text = (obj["metadata"].get("annotations") or {}).get(RECORDS_ANNOTATION, "")
    try:
        found = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def recorded_name(subject: Subject) -> str:
    """The AWS name in the ARN that the status holds, "" without one; `spec.name` of some kinds can be edited later."""
    return re.split("[:/]", subject.recorded_arn)[-1]


def wanted_region(obj: KubeObject, namespace_annotations: Mapping[str, str]) -> str:
    own = obj["metadata"].get("annotations") or {}
    return own.get(f"{PREFIX}region") or namespace_annotations.get(f"{PREFIX}default-region") or ""


def misplaced(obj: KubeObject, *, settings: ResourceSettings) -> str | None:
    """Why the object's resource lives elsewhere than the object now asks for."""
    recorded = (obj.get("status") or {}).get("ackResourceMetadata") or {}
    region = (obj["metadata"].get("annotations") or {}).get(f"{PREFIX}region")
    if region and recorded.get("region") and region != recorded["region"]:
        return f"the resource lives in region {recorded['region']}; the annotation asks for {region}"
    account = recorded.get("ownerAccountID")
    if account and account != settings.account_id:
        return f"the resource belongs to account {account}; these credentials are of account {settings.account_id}"
    return None


def incomplete(kind: Kind, subject: Subject) -> str | None:
    """What the spec lacks, or names otherwise than the resource that the status records."""
    missing = [name for name, node in kind.spec.members.items() if node.required and subject.value(name) is None]
    if missing:
        return f"spec.{missing[0]} is required"
    recorded = recorded_name(subject)
    if recorded and recorded != subject.value(kind.name_field):
        return f"AWS cannot change the name of {recorded}"
    return None


def default_tags(kind: Kind, obj: KubeObject, settings: ResourceSettings) -> dict[str, str]:
    """The tags that every resource gets; entries that come out empty are left out."""
    meta = obj["metadata"]
    values = {
        "%CONTROLLER_SERVICE%": kind.service,
        "%CONTROLLER_VERSION%": settings.version,
        "%K8S_NAMESPACE%": meta.get("namespace", ""),
        "%K8S_RESOURCE_NAME%": meta["name"],
        "%K8S_RESOURCE_KIND%": kind.kind,
        "%MANAGED_BY%": "lambent",
    }
    tags: dict[str, str] = {}
    for entry in settings.resource_tags:
        for placeholder, value in values.items():
            entry = entry.replace(placeholder, value)
        key, _, value = entry.partition("=")
        if key and value:
            tags[key] = value
    return tags
