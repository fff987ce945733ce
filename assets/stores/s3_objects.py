"""Named bytes in an S3 bucket: the same interface as a folder's.

A new name is taken by a conditional put (`If-None-Match: *`), so that no second writer changes a payload; where the bucket has object
lock and a retention is set, nobody does until it ends. Every put carries a SHA-256 checksum, which object lock asks for and the service
compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from transforms.errors import ConfigurationError, UnavailableError
from transforms.landing.payload import BLOCK_BYTES

TAKEN = frozenset({"PreconditionFailed", "412"})
PART_BYTES = 64 << 20  # ten thousand parts are allowed: 640 GB
# Answers after which the same request may succeed later; the others mean that the operator must act.
PASSING = frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "ConditionalRequestConflict", "503", "500"})


@dataclass(frozen=True)
class S3Objects:
    """Objects of a bucket whose keys begin with `prefix` (empty, or ending in `/`).

    `kms_key` is the key that the service encrypts with (default: as the bucket says); `lock_days` is how long a new name is locked in
    compliance mode (0: as the bucket says).
    """

    client: Any
    bucket: str
    prefix: str = ""
    kms_key: str | None = None
    lock_days: int = 0

    def add(self, name: str, content: bytes) -> bool:
        """Keep bytes under a new name; two writers of one name do not both succeed."""
        with _taken() as answer:
            self._put(name, content, IfNoneMatch="*", **self._lock())
        return not answer

    def add_blocks(self, name: str, blocks: Iterable[bytes]) -> bool:
        """Keep bytes that come in blocks under a new name: in one put where they are few, else in parts that are joined at the end."""
        parts = _parts(blocks)
        first, second = next(parts), next(parts, None)
        return self.add(name, first) if second is None else self._add_parts(name, chain((first, second), parts))

    def _add_parts(self, name: str, parts: Iterable[bytes]) -> bool:
        place = {"Bucket": self.bucket, "Key": self.prefix + name}
        with self._told():
            upload = self.client.create_multipart_upload(**place, ChecksumAlgorithm="SHA256", **self._encryption(), **self._lock())
            named = {**place, "UploadId": upload["UploadId"]}
            try:
                sent = []
                for number, part in enumerate(parts, 1):
                    kept = self.client.upload_part(**named, PartNumber=number, Body=part, ChecksumAlgorithm="SHA256")
                    sent.append({"PartNumber": number, "ETag": kept["ETag"], "ChecksumSHA256": kept["ChecksumSHA256"]})
                with _taken() as answer:
                    self.client.complete_multipart_upload(**named, MultipartUpload={"Parts": sent}, IfNoneMatch="*")
            except BaseException:
                self.client.abort_multipart_upload(**named)
                raise
            if answer:
                self.client.abort_multipart_upload(**named)
        return not answer

    def replace(self, name: str, content: bytes) -> None:
        """Keep bytes under a name, in place of those that it had."""
        self._put(name, content)

    def get(self, name: str) -> bytes | None:
        """Give the bytes of a name, None where nothing has it."""
        with self._told():
            try:
                content: bytes = self.client.get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"].read()
            except ClientError as error:
                if _code(error) in ("NoSuchKey", "404"):
                    return None
                raise
            return content

    def blocks(self, name: str) -> Iterator[bytes] | None:
        """Give the bytes of a name in blocks, None where nothing has it."""
        with self._told():
            try:
                body = self.client.get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"]
            except ClientError as error:
                if _code(error) in ("NoSuchKey", "404"):
                    return None
                raise
        return self._read(body)

    def _read(self, body: Any) -> Iterator[bytes]:
        with self._told():
            yield from body.iter_chunks(BLOCK_BYTES)

    def names(self, folder: str = "") -> list[str]:
        """Give all names below a folder, in their order."""
        with self._told():
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + folder)
            return sorted(one["Key"].removeprefix(self.prefix) for page in pages for one in page.get("Contents", ()))

    def _put(self, name: str, content: bytes, **conditions: Any) -> None:
        with self._told():
            self.client.put_object(
                Bucket=self.bucket, Key=self.prefix + name, Body=content, ChecksumAlgorithm="SHA256", **self._encryption(), **conditions,
            )

    def _encryption(self) -> dict[str, Any]:
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key} if self.kms_key else {}

    def _lock(self) -> dict[str, Any]:
        if not self.lock_days:
            return {}
        return {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": datetime.now(UTC) + timedelta(days=self.lock_days)}

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn the service's errors into the product's; those that are an answer to the request pass."""
        try:
            yield
        except ClientError as error:
            code = _code(error)
            if code in PASSING:
                raise UnavailableError(f"s3://{self.bucket}: {code}. Remedy: try again.") from None
            if code in TAKEN:
                raise
            raise ConfigurationError(f"s3://{self.bucket}: {code}. Remedy: check bucket, region and the account's rights.") from None
        except NoCredentialsError:
            raise ConfigurationError(f"s3://{self.bucket}: no credentials. Remedy: give them as AWS's own tools take them.") from None
        except BotoCoreError as error:
            raise UnavailableError(f"s3://{self.bucket}: does not answer ({type(error).__name__}). Remedy: try again.") from None


@contextmanager
def _taken() -> Iterator[list[str]]:
    """Turn the answer that a name is taken into an entry of the list that is given."""
    answer: list[str] = []
    try:
        yield answer
    except ClientError as error:
        if _code(error) not in TAKEN:
            raise
        answer.append(_code(error))


def _parts(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of `PART_BYTES`, the last one shorter; one empty part where there are none."""
    held = bytearray()
    for block in blocks:
        held += block
        if len(held) >= PART_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
