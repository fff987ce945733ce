"""The settings: one frozen object, the only reader of the environment (prefix `LAKEHOUSE_`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from transforms.errors import ConfigurationError

PROJECT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Everything that an operator may set. Each field is read from `LAKEHOUSE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="LAKEHOUSE_", frozen=True, extra="ignore")

    home: Path = Field(default=PROJECT / ".lakehouse", description="data root: keys, landing, raw files, warehouse, catalog")
    facilities: Path | None = Field(default=None, description="registry file other than the shipped facilities.yaml")
    key: SecretStr | None = Field(default=None, description="master key, 64 hex digits; default: the root's key file")
    target: Literal["local", "cloud"] = Field(default="local", description="warehouse: local DuckDB or cloud Snowflake")
    build: Path = Field(default=PROJECT / ".build", description="parsed dbt project of each target")
    dbt_debug: bool = Field(default=False, description="errors of models quote the engine, and with it perhaps a patient's value")
    identity_policy: Literal["strict", "balanced"] = Field(default="strict", description="zones of the person index")
    identity_model: Path | None = Field(default=None, description="model of the person index that `identity train` wrote; default: shipped")
    identity_reviewers: int = Field(default=1, ge=1, le=3, description="how many stewards must say the same before it is a decision")
    memory: str = Field(default="1GB", pattern=r"^\d+(\.\d+)?\s?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$", description="memory limit of DuckDB")
    lock_wait_seconds: float = Field(default=600.0, ge=0, description="how long a second writer waits for the first")
    warehouse_wait_seconds: float = Field(default=30.0, ge=0, description="how long an open waits for a busy warehouse file")
    alert_webhook: str | None = Field(default=None, pattern="^https?://",
                                      description="http address that run failures are posted to; default: the log")
    landing: str | None = Field(default=None, description="s3://bucket/prefix of payloads and deliveries; default: the root's own folder")
    raw: str | None = Field(default=None, description="s3://bucket/prefix of raw Parquet files; default: the root's own folder")
    s3_region: str | None = Field(default=None, description="region of the buckets; default: as AWS's own settings say")
    s3_endpoint: str | None = Field(default=None, description="S3 address where it is not AWS's own")
    s3_kms_key: str | None = Field(default=None, description="KMS key of what is put; default: as the bucket says")
    s3_lock_days: int = Field(default=0, ge=0, description="object lock of payloads and deliveries in days; 0: as the bucket says")
    snowflake_account: str = Field(default="", description="Snowflake account")
    snowflake_host: str = Field(default="", description="Snowflake host where it is not the account's own")
    snowflake_port: int = Field(default=443, description="Snowflake port")
    snowflake_protocol: str = Field(default="https", description="Snowflake protocol")
    snowflake_user: str = Field(default="", description="Snowflake user")
    snowflake_password: SecretStr | None = Field(default=None, description="Snowflake password")
    snowflake_warehouse: str = Field(default="LAKEHOUSE", description="Snowflake virtual warehouse")


def load_settings() -> Settings:
    """Read the settings. Raises ConfigurationError naming the variable and what it must be."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "LAKEHOUSE_" + "_".join(str(part) for part in first["loc"]).upper()
        meaning = Settings.model_fields[str(first["loc"][0])].description
        raise ConfigurationError(f"{name} ({meaning}): {first['msg']}. Remedy: correct or unset it.") from None


def require_snowflake(settings: Settings) -> None:
    """Raise ConfigurationError where no Snowflake account is configured."""
    if not settings.snowflake_account:
        raise ConfigurationError("No Snowflake account is configured. Remedy: set LAKEHOUSE_SNOWFLAKE_ACCOUNT, _USER and _PASSWORD.")
