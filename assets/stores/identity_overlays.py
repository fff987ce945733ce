"""Overlays: a record whose content became someone else's, found when the content changes.

The new content is held against the old one as if they were two records: a weight below zero says that they speak of two humans. What
was last compared is kept for this in `identity.compared`; a first arrival, a move or a marriage raises nothing.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from assets.stores.identity_read import ALTERED, count
from assets.stores.identity_write import append
from assets.stores.warehouse import Warehouse
from transforms.identity.model import IdentityModel
from transforms.identity.records import FEATURE_SCHEMA, FULL_BLOCK_SCHEMA, open_records
from transforms.identity.score import score_pairs

_COLUMNS = ", ".join(FEATURE_SCHEMA.names)
_BEFORE = "before|"
# records that were compared before and whose content is another now
_CHANGED = f"""
with known as (select patient_key from identity.compared where patient_key in ({ALTERED})),
changed as (
  select {_COLUMNS} from identity.patient_features where patient_key in (select patient_key from known)
  except
  select {_COLUMNS} from identity.compared where patient_key in (select patient_key from known)
)
"""


def check_overlays(warehouse: Warehouse, run_seq: int, model: IdentityModel, memory: str, spill: str) -> None:
    """Note the altered records whose content speaks of another human than before, and keep their content for the next time."""
    if not count(warehouse, "identity.resolve_altered"):
        return
    now = warehouse.query(f"{_CHANGED} select {_COLUMNS} from changed")
    if now.num_rows:
        was = warehouse.query(f"{_CHANGED} select {_COLUMNS} from identity.compared where patient_key in (select patient_key from changed)")
        found = _estranged(was.cast(FEATURE_SCHEMA), now.cast(FEATURE_SCHEMA), model, memory, spill)
        constants = {"run_seq": pa.array([run_seq] * found.num_rows, pa.int64()),
                     "model_version": pa.array([model.version] * found.num_rows, pa.string())}
        for name, values in constants.items():
            found = found.append_column(name, values)
        append(warehouse, "identity.overlay", found)
    warehouse.execute(f"delete from identity.compared where patient_key in ({ALTERED})")
    warehouse.execute(f"insert into identity.compared ({_COLUMNS}) select {_COLUMNS} from identity.patient_features "
                      f"where patient_key in ({ALTERED})")


def _estranged(was: pa.Table, now: pa.Table, model: IdentityModel, memory: str, spill: str) -> pa.Table:
    """Give the records (patient_key, facility_id, score) whose two contents weigh below zero; a placeholder is no alarm."""
    keys = pa.array([_BEFORE + key for key in was["patient_key"].to_pylist()], pa.string())
    both = pa.concat_tables([was.set_column(0, FEATURE_SCHEMA.field("patient_key"), keys), now])
    connection = open_records(both.filter(pc.invert(both["is_unidentified"])), FULL_BLOCK_SCHEMA.empty_table(), model, memory, spill)
    try:
        connection.execute(f"""
            create table versions as
            select least(o.id, n.id) as id_l, greatest(o.id, n.id) as id_r
            from record o join record n on o.patient_key = '{_BEFORE}' || n.patient_key
        """)
        score_pairs(connection, model, "versions", "weighed")
        estranged: pa.Table = connection.execute(f"""
            select n.patient_key, n.facility_id, weighed.weight as score
            from weighed join record n on n.id in (weighed.id_l, weighed.id_r) and not starts_with(n.patient_key, '{_BEFORE}')
            where weighed.weight < 0 order by 1
        """).to_arrow_table()
    finally:
        connection.close()
    return estranged
