"""`lakehouse identity resolve` and what `train` reads: the product's own path on a file of records, outside any data root."""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pyarrow as pa


_POLICY_FILE = typer.Option(None, help="File with a policy of your own (docs/identity.md).")
_MODEL = typer.Option(None, help="Model that `lakehouse identity train` wrote; default: the shipped one.")


def resolve(
    records: Path = typer.Option(..., help="Parquet file, one row a patient record (columns: docs/identity.md)."),
    out: Path = typer.Option(..., help="Folder for links.parquet and review.parquet; made where it is missing."),
    policy: str = typer.Option("", help="strict, balanced, or one of --policy-file; default: strict, or the only one of that file."),
    policy_file: Path = _POLICY_FILE,
    model: Path = _MODEL,
    on: str = typer.Option("", help="Judge by the version that holds on this day; default: the newest, even if it holds later."),
    memory: str = typer.Option("2GB", help="Memory limit of the engine; the process needs nearly twice as much."),
) -> None:
    """Resolve a file of records with the product's own SQL, model, rules and policy; the data root is not touched."""
    import pyarrow.parquet as pq

    from assets.stores.identity import Settings
    from assets.stores.identity_file import scratch_identity
    from orchestration.cli.scope import parse_day
    from orchestration.opening import dbt_runner
    from orchestration.settings import load_settings
    from transforms.identity.model import load_model
    from transforms.identity.policy_file import load_policy, policy_name

    file, day = str(policy_file), parse_day(on, "--on") if on else None
    rules, constants = _text(policy_file, "--policy-file"), _text(model, "--model")
    name = policy or ("strict" if rules is None else policy_name(rules, file))
    settings = Settings(load_model(constants), load_policy(name, more=rules, on=day, file=file), salt=secrets.token_hex(16), memory=memory)
    dbt = dbt_runner(load_settings(), "local")
    dbt.prepare()
    begun = time.monotonic()
    with scratch_identity(dbt, settings) as scratch:
        tell(begun, f"reading {records.name} and making features")
        scratch.add(records)
        tell(begun, "comparing and clustering, the longest part")
        resolution = scratch.resolve()
        links, review, alone = scratch.links(), scratch.review(), scratch.incomparable()
    out.mkdir(parents=True, exist_ok=True)
    pq.write_table(links, out / "links.parquet")
    pq.write_table(review, out / "review.parquet")
    print(f"{links.num_rows:,} records are {resolution.minted:,} persons under policy {settings.policy.version}; {review.num_rows:,} pairs "
          f"wait for a steward; {alone:,} records have nothing to compare ({time.monotonic() - begun:.0f} s). "
          f"Next: {out}/links.parquet, {out}/review.parquet")


def tell(begun: float, what: str) -> None:
    """Say on stderr how far a long command is."""
    print(f"{time.monotonic() - begun:4.0f} s  {what}", file=sys.stderr, flush=True)


def features_of(records: Path) -> pa.Table:
    """Give the features of a records file, made as a run makes them in a scratch warehouse, with person_no where the file has it."""
    from assets.stores.identity import Settings
    from assets.stores.identity_file import scratch_identity
    from orchestration.opening import dbt_runner
    from orchestration.settings import load_settings
    from transforms.identity.model import load_model
    from transforms.identity.policy_file import load_policy

    dbt = dbt_runner(load_settings(), "local")
    dbt.prepare()
    with scratch_identity(dbt, Settings(load_model(), load_policy(), salt=secrets.token_hex(16))) as scratch:
        return scratch.labelled_features(records)


def _text(path: Path | None, option: str) -> str | None:
    from orchestration.text_file import read_text_file

    return read_text_file(path, f"name a text file by {option}.") if path else None
