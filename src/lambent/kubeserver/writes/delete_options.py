"""DeleteOptions, from the body or the query of a DELETE. Source: Kubernetes API reference, DeleteOptions."""

from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver import status
from lambent.kubeserver.builtin.mismatches import mismatch
from lambent.kubeserver.builtin.table import definitions
from lambent.kubeserver.call import Call
from lambent.kubeserver.lifecycle.deletion import POLICIES, DeleteOptions
from lambent.kubeserver.requests.decoding import (
    ACCEPTED,
    TOO_DEEP,
    NotJson,
    NotYaml,
    media_type,
    parse_json,
    parse_yaml,
)
from lambent.kubeserver.requests.options import dry_run_problems, dry_runs_of
from lambent.kubeserver.status import ApiError, bad_request, unsupported_media

_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"


def _decode_options(call: Call) -> Any:
    media = media_type(call)
    if media not in ("", "application/json", "application/yaml"):
        raise unsupported_media(ACCEPTED)
    try:
        body = parse_json(call.request.body) if media != "application/yaml" else parse_yaml(call.request.body)
    except (NotJson, NotYaml) as error:
        if str(error).endswith(TOO_DEEP):
            raise bad_request(str(error)) from None
        lead = "couldn't get version/kind; json parse error: " if isinstance(error, NotJson) else ""
        raise _broken(f"{lead}{error}") from None
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise _broken("couldn't get version/kind; json parse error: json: cannot unmarshal into Go value")
    return body


def _broken(text: str) -> ApiError:
    """What the body of a deletion cannot be read for, which kube-apiserver takes for its own failure."""
    return ApiError(500, text, reason="")


def delete_options(call: Call) -> DeleteOptions:
    """From the body when there is one (then the query is ignored), else from the query."""
    body: Any = {}
    if call.request.body:
        if media_type(call) == "application/vnd.kubernetes.protobuf":
            from lambent.kubeserver.requests.protobuf import decode_object

            body = decode_object(call.request.body)
        else:
            body = _decode_options(call)
        if body.get("kind") not in (None, "", "DeleteOptions"):
            kind, version = body["kind"], body.get("apiVersion", "")
            text = f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:110"'
            raise _broken(text)
        if why := mismatch(body, {"$ref": _OPTIONS}, definitions()):
            raise _broken(why)
        policy, dry = body.get("propagationPolicy") or "", body.get("dryRun") or []
        orphans = body.get("orphanDependents")
    else:
        call.number("gracePeriodSeconds")
        policy, dry = call.query.get("propagationPolicy", ""), dry_runs_of(call)
        orphans = call.says("orphanDependents") if "orphanDependents" in call.query else None
    _check(policy, orphans, dry)
    if orphans is not None:
        policy = "Orphan" if orphans else "Background"
    held = body.get("preconditions") or {}
    return DeleteOptions(
        policy=policy,
        uid=held.get("uid") or "",
        resource_version=held.get("resourceVersion") or "",
        is_dry_run=bool(dry),
        cascades=orphans is False,
    )


def _check(policy: str, orphans: bool | None, dry: list[str]) -> None:
    problems: list[Problem] = []
    if policy and orphans is not None:
        text = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
        problems.append(Problem("propagationPolicy", "FieldValueInvalid", text))
    if policy and policy not in POLICIES:
        listed = ", ".join(f'"{one}"' for one in ("Foreground", "Background", "Orphan", "nil"))
        text = f'Unsupported value: "{policy}": supported values: {listed}'
        problems.append(Problem("propagationPolicy", "FieldValueNotSupported", text))
    problems += dry_run_problems(dry)
    if problems:
        raise status.invalid("meta.k8s.io", "DeleteOptions", "", problems)
