"""Blob uploads as the distribution API sees them: begun, appended to in order, finished by a digest.

Source: OCI distribution specification 1.1, "Pushing a blob in chunks".
"""

import re

from lambent.oci.errors import RegistryError
from lambent.oci.manifest import digest_of, is_digest
from lambent.oci.store import BlobStore

_RANGE = re.compile(r"(?:bytes[ =])?(\d+)-(\d+)(?:/.*)?")


class Uploads:
    """Every method raises RegistryError with the code that the specification gives."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    def whole(self, data: bytes, digest: str) -> None:
        """A blob in one request."""
        if not is_digest(digest) or digest_of(data) != digest:
            raise _wrong_digest(digest)
        self._store.put_blob(data)

    def begin(self) -> str:
        return self._store.begin_upload()

    def size(self, upload: str) -> int:
        size = self._store.upload_size(upload)
        if size is None:
            raise RegistryError("BLOB_UPLOAD_UNKNOWN", "there is no such upload; begin a new one", status=404)
        return size

    def append(self, upload: str, data: bytes, content_range: str) -> int:
        """Gives the new size. A chunk that does not follow the last one is refused with 416."""
        size = self.size(upload)
        found = _RANGE.fullmatch(content_range) if content_range else None
        if content_range and (found is None or int(found[1]) != size or int(found[2]) - int(found[1]) + 1 != len(data)):
            message = f"the upload has {size} bytes: the next chunk must begin there"
            raise RegistryError("BLOB_UPLOAD_INVALID", message, status=416)
        return self._store.append_upload(upload, data) if data else size

    def finish(self, upload: str, data: bytes, content_range: str, digest: str) -> None:
        self.append(upload, data, content_range)
        if not is_digest(digest):
            raise _wrong_digest(digest)
        try:
            self._store.finish_upload(upload, digest)
        except ValueError:
            raise _wrong_digest(digest) from None

    def cancel(self, upload: str) -> None:
        self.size(upload)
        self._store.cancel_upload(upload)


def _wrong_digest(digest: str) -> RegistryError:
    return RegistryError("DIGEST_INVALID", f"the content's digest is not {digest[:80] or 'given'}", status=400)
