"""An S3 server of the tests' own (moto, in a thread), with a bucket that has object lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

BUCKET = "lake"
# What the server takes, where AWS's own tools look for it.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def bucket_server() -> Iterator[str]:
    """Serve the bucket; gives the server's address."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    try:
        yield endpoint
    finally:
        server.stop()
