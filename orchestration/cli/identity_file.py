"""`lakehouse identity resolve`: the product's resolution on a file of records, outside any data root."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import typer


def resolve(
    records: Path = typer.Option(..., help="Parquet file, one row a patient record (columns: docs/identity.md)."),
    out: Path = typer.Option(..., help="Folder for links.parquet and review.parquet; made where it is missing."),
    policy: str = typer.Option("strict", help="strict or balanced."),
    memory: str = typer.Option("2GB", help="Memory limit of the engine; the process needs nearly twice as much."),
) -> None:
    """Resolve a file of records with the product's own SQL, model, rules and policy; the data root is not touched."""
    import pyarrow.parquet as pq

    from assets.stores.identity import Settings
    from assets.stores.identity_file import scratch_identity
    from orchestration.opening import dbt_runner
    from orchestration.settings import load_settings
    from transforms.identity.model import load_model
    from transforms.identity.policy import load_policy

    settings = Settings(load_model(), load_policy(policy), salt=secrets.token_hex(16), memory=memory)
    dbt = dbt_runner(load_settings(), "local")
    dbt.prepare()
    begun = time.monotonic()
    with scratch_identity(dbt, settings) as scratch:
        scratch.add(records)
        resolution = scratch.resolve()
        links, review = scratch.links(), scratch.review()
    out.mkdir(parents=True, exist_ok=True)
    pq.write_table(links, out / "links.parquet")
    pq.write_table(review, out / "review.parquet")
    print(f"{links.num_rows:,} records are {resolution.minted:,} persons under policy {settings.policy.version}; {review.num_rows:,} pairs "
          f"wait for a steward ({time.monotonic() - begun:.0f} s). Next: {out}/links.parquet, {out}/review.parquet")
