"""Named bytes in an S3 bucket: the same interface as a folder's.

A new name is taken by a conditional put (`If-None-Match: *`), so that no second writer changes a payload; where the bucket has object
lock and a retention is set, nobody does until it ends. Every put carries a SHA-256 checksum, which object lock asks for and the service
compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from transforms.errors import ConfigurationError, UnavailableError

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
        lock: dict[str, Any] = {}
        if self.lock_days:
            until = datetime.now(UTC) + timedelta(days=self.lock_days)
            lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        try:
            self._put(name, content, IfNoneMatch="*", **lock)
        except ClientError as error:
            if _code(error) in ("PreconditionFailed", "412"):
                return False
            raise
        return True

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

    def names(self, folder: str = "") -> list[str]:
        """Give all names below a folder, in their order."""
        with self._told():
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + folder)
            return sorted(one["Key"].removeprefix(self.prefix) for page in pages for one in page.get("Contents", ()))

    def _put(self, name: str, content: bytes, **conditions: Any) -> None:
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key} if self.kms_key else {}
        with self._told():
            self.client.put_object(
                Bucket=self.bucket, Key=self.prefix + name, Body=content, ChecksumAlgorithm="SHA256", **encryption, **conditions,
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn the service's errors into the product's; those that are an answer to the request pass."""
        try:
            yield
        except ClientError as error:
            code = _code(error)
            if code in PASSING:
                raise UnavailableError(f"s3://{self.bucket}: {code}. Remedy: try again.") from None
            if code in ("PreconditionFailed", "412"):
                raise
            raise ConfigurationError(f"s3://{self.bucket}: {code}. Remedy: check bucket, region and the account's rights.") from None
        except NoCredentialsError:
            raise ConfigurationError(f"s3://{self.bucket}: no credentials. Remedy: give them as AWS's own tools take them.") from None
        except BotoCoreError as error:
            raise UnavailableError(f"s3://{self.bucket}: does not answer ({type(error).__name__}). Remedy: try again.") from None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
