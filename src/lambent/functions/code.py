"""Takes code in: checks it, keeps it, and says what a spec should refer to.

Sources: an archive in the request, an object in a bucket, an image URI. The facade takes code in before it answers, so
that a broken archive or an absent image is refused at once; the controller does the same for a LambdaFunction that
was applied with kubectl.
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

from lambent.aws.errors import AwsError
from lambent.functions import messages
from lambent.functions.archives import check_archive
from lambent.functions.artifacts import ArtifactStore
from lambent.functions.images import ImageMissing, ImageResolver, NoImages
from lambent.functions.objects import NoObjects, ObjectSource
from lambent.functions.record import CodeRef

_CHECK_INLINE_BELOW = 65_536  # bytes: checking a small archive costs less than the trip to a thread


@dataclass(frozen=True, slots=True)
class CodeIntake:
    artifacts: ArtifactStore
    objects: ObjectSource = field(default_factory=NoObjects)
    images: ImageResolver = field(default_factory=NoImages)

    async def take(self, source: dict[str, Any], *, region: str, keep: bool = True) -> CodeRef:
        """`source` in AWS's member names. Raises the `ServiceError` that AWS answers. `keep=False` only checks."""
        if source.get("ImageUri"):
            return await self._image(source["ImageUri"])
        archive = source.get("ZipFile")
        if archive is None:
            archive = await self._object(source, region)
        if len(archive) < _CHECK_INLINE_BELOW:
            check_archive(archive)
        else:
            await self.artifacts.on_thread(check_archive, archive)
        return CodeRef(artifact=await self.artifacts.put(archive) if keep else self.artifacts.describe(archive))

    async def take_fields(self, code: dict[str, Any], *, region: str) -> CodeRef:
        """The same for `spec.code` of an applied object, `zipFile` being base64 text there."""
        source = {name: code[key] for name, key in _SOURCE_FIELDS.items() if code.get(key)}
        if "ZipFile" in source:
            try:
                source["ZipFile"] = base64.b64decode(source["ZipFile"], validate=True)
            except (binascii.Error, ValueError):
                raise messages.broken_archive() from None
        return await self.take(source, region=region)

    async def _image(self, uri: str) -> CodeRef:
        try:
            resolved = await self.images.resolve(uri)
        except ImageMissing:
            raise messages.image_missing(uri) from None
        return CodeRef(image_uri=uri, digest=resolved.digest)

    async def _object(self, source: dict[str, Any], region: str) -> bytes:
        bucket, key = source.get("S3Bucket"), source.get("S3Key")
        if not bucket or not key:
            raise messages.invalid_parameter("Please provide a source for function code.")
        try:
            return await self.objects.get_object(bucket, key, version=source.get("S3ObjectVersion"), region=region)
        except AwsError as error:
            raise messages.object_not_fetched(error.code, error.message) from None


_SOURCE_FIELDS = {
    "ZipFile": "zipFile",
    "S3Bucket": "s3Bucket",
    "S3Key": "s3Key",
    "S3ObjectVersion": "s3ObjectVersion",
    "ImageUri": "imageUri",
}
