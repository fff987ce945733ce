"""Opens a data root from the settings: the one place where settings become stores."""

from __future__ import annotations

from pathlib import Path

from assets.root import Root
from assets.stores.dbt_runner import DbtRunner
from assets.stores.duckdb_warehouse import DuckDBStore
from assets.stores.keys import Keys, open_keys
from assets.stores.objects import ObjectStore
from assets.stores.snowflake_warehouse import SnowflakeStore
from assets.stores.warehouse import WarehouseStore
from orchestration.settings import Settings
from orchestration.text_file import read_text_file
from transforms.errors import ConfigurationError
from transforms.facilities.registry import load_registry, shipped_registry_text


def registry_text(settings: Settings) -> tuple[str, str]:
    """Give the registry's text and the name that messages call it."""
    if settings.facilities is None:
        return shipped_registry_text(), "facilities.yaml"
    return read_text_file(settings.facilities, "set LAKEHOUSE_FACILITIES to a registry."), str(settings.facilities)


def dbt_runner(settings: Settings, target: str | None = None) -> DbtRunner:
    """Give the dbt runner of a target; its parse state is shared by all roots."""
    name = target or settings.target
    return DbtRunner(name, (settings.build / "dbt" / name).resolve(), settings.dbt_debug)


def open_root(settings: Settings) -> Root:
    """Open the data root that the settings name. Raises ConfigurationError on a wrong registry or key."""
    text, name = registry_text(settings)
    home = Path(settings.home).resolve()
    keys = open_keys(home, settings.key.get_secret_value() if settings.key else None)
    return Root(
        home=home,
        keys=keys,
        registry=load_registry(text, name),
        registry_text=text,
        warehouse=warehouse_store(settings, settings.target, home, keys),
        dbt=dbt_runner(settings),
        identity_policy=settings.identity_policy,
        identity_model=read_text_file(settings.identity_model, "set LAKEHOUSE_IDENTITY_MODEL.") if settings.identity_model else None,
        landing_objects=bucket_objects(settings, settings.landing, "LAKEHOUSE_LANDING"),
        raw_objects=bucket_objects(settings, settings.raw, "LAKEHOUSE_RAW"),
    )


def bucket_objects(settings: Settings, place: str | None, setting: str) -> ObjectStore | None:
    """Give the object store of an `s3://bucket/prefix`, None where no place is set. Raises ConfigurationError on any other place."""
    if place is None:
        return None
    bucket, _, prefix = place.removeprefix("s3://").strip("/").partition("/")
    if not place.startswith("s3://") or not bucket:
        raise ConfigurationError(f"{setting}: no bucket. Remedy: s3://bucket/prefix, or unset it for the root's own folder.")
    # Dagster's AWS integration takes a second to import, and most roots are folders.
    from dagster_aws.s3 import S3Resource

    from assets.stores.s3_objects import S3Objects

    client = S3Resource(region_name=settings.s3_region, endpoint_url=settings.s3_endpoint).get_client()
    return S3Objects(client, bucket, f"{prefix}/" if prefix else "", settings.s3_kms_key, settings.s3_lock_days)


def warehouse_store(settings: Settings, target: str, home: Path, keys: Keys) -> WarehouseStore:
    """Give the warehouse of a target (`local` or `cloud`) of a data root; nothing is opened yet."""
    if target == "local":
        return DuckDBStore(home, keys, settings.warehouse_wait_seconds, settings.memory)
    return SnowflakeStore(
        home, keys, settings.snowflake_account, settings.snowflake_user,
        settings.snowflake_password.get_secret_value() if settings.snowflake_password else "", settings.snowflake_warehouse,
        settings.snowflake_host, settings.snowflake_port, settings.snowflake_protocol, settings.memory,
    )
