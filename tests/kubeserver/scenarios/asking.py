"""Ask a server the steps of scenarios and keep what of its answers can be compared.

uids and times become placeholders; so do resource versions, numbered by first use: "did it change?" survives, its value
does not.
"""

import http.client
import json
import re
import ssl
import time
import urllib.parse
from typing import Any

Step = dict[str, Any]
_TIME = re.compile(r"20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_VERSION = re.compile(r'(resourceVersion\\*":\\*"|in record \()\d+')
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_GENERATED = re.compile(r"\b(G_)[bcdfghjklmnpqrstvwxz2456789]{5}\b")
_IDLE_S = 1.0  # after which a connection is not trusted: no step is sent twice
_DROPPED = {"selfLink", "continue", "remainingItemCount"}


class Target:
    """A server under test; certificates are not checked, both servers are on this machine."""

    def __init__(self, url: str, token: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 443)
        self._token = token
        self._context = ssl._create_unverified_context()
        self._connection: http.client.HTTPSConnection | None = None
        self._used_at = 0.0

    def _connected(self) -> http.client.HTTPSConnection:
        """The last connection, or a new one when a server may have closed that meanwhile."""
        now = time.monotonic()
        if self._connection is not None and now - self._used_at > _IDLE_S:
            self.close()
        self._used_at = now
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(*self._address, timeout=20, context=self._context)
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def ask(self, step: Step) -> tuple[int, list[str], Any]:
        """Status, warnings and the decoded body; of a watch the list of its events."""
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self._token}",
            "User-Agent": "same/1",
            **step.get("headers", {}),
        }
        body = step.get("body")
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, str) else json.dumps(body)
        connection = self._connected()
        try:
            connection.request(step["method"], step["path"], body, headers)
            answer = connection.getresponse()
            raw = answer.read()
        except Exception:
            self.close()
            raise
        if answer.will_close:
            self.close()
        warnings = answer.headers.get_all("Warning") or []
        if step.get("stream") and answer.status == 200:
            return answer.status, warnings, [json.loads(line) for line in raw.splitlines() if line.strip()]
        try:
            return answer.status, warnings, json.loads(raw)
        except ValueError:
            return answer.status, warnings, raw.decode(errors="replace").strip()


_MANAGER = ("manager", "operation", "subresource", "apiVersion")


class _Names:
    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], str] = {}
        self._count: dict[str, int] = {}

    def of(self, kind: str, value: str) -> str:
        if (kind, value) not in self._seen:
            self._count[kind] = self._count.get(kind, 0) + 1
            self._seen[kind, value] = f"<{kind}:{self._count[kind]}>"
        return self._seen[kind, value]


def _plain(value: Any, names: _Names, key: str, *, managed: bool) -> Any:
    if isinstance(value, dict):
        return {
            name: _plain(member, names, name, managed=managed)
            for name, member in value.items()
            if name not in _DROPPED and (managed or name != "managedFields")
        }
    if isinstance(value, list):
        if key == "managedFields":  # their order follows the clock's seconds
            value = sorted(value, key=lambda entry: [str(entry.get(part, "")) for part in _MANAGER])
        return [_plain(one, names, key, managed=managed) for one in value]
    if not isinstance(value, str):
        return value
    if key == "resourceVersion":
        return names.of("rv", value) if value not in ("", "0") else value
    value = _GENERATED.sub(r"\1<generated>", value)
    return _VERSION.sub(r"\1<rv>", _TIME.sub("<time>", _UID.sub("<uid>", value)))


def dig(value: Any, path: str) -> Any:
    """The part of a body at a dotted path, "<absent>" when there is none."""
    try:
        for part in path.split("."):
            value = value[int(part)] if isinstance(value, list) else value[part]
    except (KeyError, IndexError, TypeError, ValueError):
        return "<absent>"
    return value


def _filled(value: Any, saved: dict[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\{\{(\w+)\}\}", lambda found: saved[found[1]], value)
    if isinstance(value, dict):
        return {name: _filled(member, saved) for name, member in value.items()}
    return [_filled(one, saved) for one in value] if isinstance(value, list) else value


def _table(body: Any) -> dict[str, Any]:
    columns = body.get("columnDefinitions") or []
    ages = {index for index, column in enumerate(columns) if column["name"].upper() == "AGE"}
    return {
        "kind": "Table",
        "columns": [[c["name"], c.get("type"), c.get("format", ""), c.get("priority", 0)] for c in columns],
        "rows": [
            [
                "<age>" if i in ages else _TIME.sub("<time>", cell) if isinstance(cell, str) else cell
                for i, cell in enumerate(row["cells"])
            ]
            for row in body.get("rows") or []
        ],
    }


def _refusal(body: Any, names: _Names) -> Any:
    kept = {name: body[name] for name in ("status", "reason", "code", "message") if name in body}
    details = body.get("details") or {}
    kept["details"] = {name: details[name] for name in ("name", "group", "kind", "causes") if name in details}
    causes = kept["details"].get("causes") or []
    if len(causes) > 1:  # their order is not promised, and the message lists them in that order
        kept["details"]["causes"] = sorted(causes, key=lambda cause: (cause.get("field", ""), cause.get("message", "")))
        kept["message"] = str(kept.get("message", "")).split(" is invalid: [")[0]
    return _plain(kept, names, "", managed=False)


def _comparable(step: Step, code: int, warnings: list[str], body: Any, names: _Names) -> dict[str, Any]:
    answer: dict[str, Any] = {"code": code}
    if warnings:
        answer["warnings"] = sorted(warnings)
    managed = bool(step.get("managed"))
    if step.get("only") == "code":
        return answer
    if step.get("stream") and code == 200:
        events = body if isinstance(body, list) else [body]
        answer["events"] = [_event(event, names, managed=managed) for event in events]
    elif isinstance(body, dict) and body.get("kind") == "Table":
        answer["body"] = _table(body)
    elif isinstance(body, dict) and body.get("kind") == "Status":
        answer["body"] = _refusal(body, names)
    elif "pick" in step:
        answer["picked"] = {
            path: _plain(dig(body, path), names, path.rsplit(".", 1)[-1], managed=True) for path in step["pick"]
        }
    else:
        answer["body"] = _plain(body, names, "", managed=managed)
    return answer


def _event(event: Any, names: _Names, *, managed: bool) -> Any:
    shown = event["object"]
    if event["type"] == "BOOKMARK":  # which version it names depends on what else is going on
        return {"type": "BOOKMARK", "annotations": (shown.get("metadata") or {}).get("annotations", {})}
    is_table = shown.get("kind") == "Table"
    return {"type": event["type"], "object": _table(shown) if is_table else _plain(shown, names, "", managed=managed)}


def ask_all(target: Target, steps: list[Step], *, pace: float = 1.0) -> dict[str, Any]:
    """The comparable answers of one group, by step; `pace` shortens the pauses for a server that needs none."""
    names, saved, answers = _Names(), dict[str, str](), {}
    for index, step in enumerate(steps):
        if "until" in step:
            _wait(target, _filled(step, saved))
            continue
        if "sleep" in step:
            time.sleep(step["sleep"] * pace)
            continue
        code, warnings, body = target.ask(_filled(step, saved))
        for name, path in step.get("save", {}).items():
            saved[name] = str(dig(body, path))
        title = step.get("say") or f"{step['method']} {step['path']}"
        answers[f"{index:02d} {title}"] = _comparable(step, code, warnings, body, names)
    return answers


def _wait(target: Target, step: Step) -> None:
    for _ in range(150):
        code, _warnings, body = target.ask({"method": "GET", "path": step["path"]})
        if step["until"](code, body if isinstance(body, dict) else {}):
            return
        time.sleep(step.get("every", 0.1))


def differences(want: Any, got: Any, at: str = "") -> list[str]:
    """Where two answers differ, one line each."""
    if isinstance(want, dict) and isinstance(got, dict):
        out = []
        for key in sorted(want.keys() | got.keys()):
            here = f"{at}.{key}"
            if key not in got:
                out.append(f"{here}: missing, wanted {json.dumps(want[key])[:300]}")
            elif key not in want:
                out.append(f"{here}: not wanted {json.dumps(got[key])[:300]}")
            else:
                out += differences(want[key], got[key], here)
        return out
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [
            line for i, (a, b) in enumerate(zip(want, got, strict=True)) for line in differences(a, b, f"{at}[{i}]")
        ]
    return [] if want == got else [f"{at}: wanted {json.dumps(want)[:400]}\n        got {json.dumps(got)[:400]}"]
