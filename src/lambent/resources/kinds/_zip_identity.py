"""Has the code of a Zip function changed? Answered from the spec, the record of what was deployed, and CodeSha256.

AWS does not answer where code came from, so the key, version and trigger text last acted on are kept in
`status.lambent.code`. Code is uploaded once when any holds: `zipFile` hashes to something else than CodeSha256; bucket,
key or object version differ from the record; `sha256` differs from the record *and* from CodeSha256 (it may be a true
hash or any trigger text). With no record AWS is trusted. Not here: image functions, whose URI AWS does answer.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

_PLACE = ("s3Bucket", "s3Key", "s3ObjectVersion")


def zip_sha256(zip_base64: str) -> str:
    """CodeSha256 of the bytes that a base64 text holds."""
    return base64.b64encode(hashlib.sha256(base64.b64decode(zip_base64)).digest()).decode()


def record_of(code: Mapping[str, Any]) -> dict[str, str]:
    """What to remember of code that has been acted on; never the bytes."""
    return {name: str(code[name]) for name in (*_PLACE, "sha256") if code.get(name)}


def code_changed(code: Mapping[str, Any], record: Mapping[str, Any] | None, have_sha256: str) -> bool:
    """Whether the code of the spec must be uploaded."""
    if code.get("zipFile"):
        return zip_sha256(str(code["zipFile"])) != have_sha256
    if record is None:
        return False
    if any((code.get(name) or "") != (record.get(name) or "") for name in _PLACE):
        return True
    trigger = code.get("sha256") or ""
    return trigger not in ("", record.get("sha256") or "", have_sha256)
