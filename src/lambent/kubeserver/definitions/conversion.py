"""How versions become each other: `None`, as only that is served here; a webhook is judged, then refused."""

from typing import Any
from urllib.parse import urlsplit

from lambent.kube.schema import Problem
from lambent.kubeserver.definitions.refusals import invalid
from lambent.kubeserver.validation.errors import forbidden, required
from lambent.kubeserver.validation.names import dns_1035, subdomain
from lambent.kubeserver.validation.rules import among, needed

_PATH = "spec.conversion"
_REVIEWS = ("v1", "v1beta1")
_STRATEGY = needed(among("None", "Webhook"))
_FORM = "; desired format: https://host[/path]"
_PORTS = 65535


def conversion_problems(spec: Any) -> list[Problem]:
    found = spec.get("conversion") or {}
    strategy, webhook = found.get("strategy"), found.get("webhook")
    out = [*_STRATEGY(strategy, f"{_PATH}.strategy")]
    if strategy != "None" and spec.get("preserveUnknownFields"):
        out.insert(0, invalid(f"{_PATH}.strategy", strategy, "must be None if spec.preserveUnknownFields is true"))
    client, reviews = (webhook or {}).get("clientConfig"), (webhook or {}).get("conversionReviewVersions")
    if strategy == "Webhook":
        out += _client_problems(client) + _review_problems(reviews)
        if not out:
            out.append(forbidden(f"{_PATH}.strategy", "conversion webhooks are not supported by this server"))
        return out
    text = "should not be set when strategy is not set to Webhook"
    if client is not None:
        out.append(forbidden(f"{_PATH}.webhookClientConfig", text))
    if reviews:
        out.append(forbidden(f"{_PATH}.conversionReviewVersions", text))
    return out


def _client_problems(client: Any) -> list[Problem]:
    path = f"{_PATH}.webhookClientConfig"
    if client is None:
        return [required(path, "required when strategy is set to Webhook")]
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        return [required(path, "exactly one of url or service is required")]
    return _service_problems(service, f"{path}.service") if url is None else _url_problems(url, f"{path}.url")


def _url_problems(url: str, path: str) -> list[Problem]:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        return [required(path, f"url must be a valid URL: {error}{_FORM}")]
    user, at, host = parts.netloc.rpartition("@")
    out: list[Problem] = []
    if parts.scheme != "https":
        out.append(invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}"))
    if not host:
        out.append(invalid(path, host, f"host must be specified{_FORM}"))
    if at:
        out.append(invalid(path, user, "user information is not permitted in the URL"))
    if parts.fragment:
        out.append(invalid(path, parts.fragment, "fragments are not permitted in the URL"))
    if parts.query:
        out.append(invalid(path, parts.query, "query parameters are not permitted in the URL"))
    return out


def _service_problems(service: Any, path: str) -> list[Problem]:
    out = [required(f"{path}.{name}") for name in ("name", "namespace") if not service.get(name)]
    port = service.get("port", 0)
    if not 0 < port <= _PORTS:
        out.append(invalid(f"{path}.port", port, "port is not valid: must be between 1 and 65535, inclusive"))
    return out + _path_problems(service.get("path") or "", f"{path}.path")


def _path_problems(url_path: str, path: str) -> list[Problem]:
    if url_path in ("", "/"):
        return []
    if url_path == "//":
        return [invalid(path, url_path, "segment[0] may not be empty")]
    out = [] if url_path.startswith("/") else [invalid(path, url_path, "must start with a '/'")]
    for index, step in enumerate(url_path[1:].removesuffix("/").split("/")):
        if not step:
            out.append(invalid(path, url_path, f"segment[{index}] may not be empty"))
            continue
        out += [invalid(path, url_path, f"segment[{index}]: {fault}") for fault in subdomain(step)]
    return out


def _review_problems(reviews: list[str] | None) -> list[Problem]:
    path = f"{_PATH}.conversionReviewVersions"
    if not reviews:
        return [required(path)]
    out: list[Problem] = []
    for index, version in enumerate(reviews):
        if version in reviews[:index]:
            out.append(invalid(f"{path}[{index}]", version, "duplicate version"))
            continue
        out += [invalid(f"{path}[{index}]", version, fault) for fault in dns_1035(version)]
    if not set(reviews) & set(_REVIEWS):
        out.append(invalid(path, reviews, f"must include at least one of {', '.join(_REVIEWS)}"))
    return out
