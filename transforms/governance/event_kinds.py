"""The closed list of event kinds, each with its fields and their forms. Adding a kind is a change of this file.

Forms: `token` a name without spaces, `hash` hexadecimal digits, `hmac` a keyed HMAC-SHA-256 in hexadecimal, `date`,
`instant` (UTC), `base64`, `count` an integer from 0, `flag` true or false, `tokens`, `dates`, `hmacs` lists of these,
`versions` name -> version, `counts` name -> count. A form followed by `?` may be absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class EventKind:
    """One kind of event: what it records and the form of each field."""

    name: str
    meaning: str
    fields: Mapping[str, str]


def _kind(name: str, meaning: str, fields: str) -> EventKind:
    """A kind from `field form, field form, ...`."""
    pairs = (field.split() for field in fields.split(", "))
    return EventKind(name, meaning, {field: form for field, form in pairs})


_PARTITION = "facility_id token, batch_date date"
_PAIR = "left hmac, right hmac, rule token, score_millionths count?, evidence_version token?"
_ACCESS = (
    "role token, purpose token, product token, granted flag, phi_level count, columns tokens?, partitions tokens?,"
    " rows count?, patient hmac?"
)

_ALL = (
    _kind("run.start", "a run began", "run_seq count, job token, facilities tokens, dates dates, code_version token"),
    _kind("run.end", "a run ended", "run_seq count, state token, seconds count?"),
    _kind("land", "a delivery was landed",
          _PARTITION + ", source token, delivery_id hash, payload_id hash, size count, units count?"),
    _kind("materialize", "an asset's partition was written",
          _PARTITION + ", asset token, code_version token, sql_hash hash?, inputs versions, data_version token,"
          " rows_in count?, rows count, content_hash hash?"),
    _kind("observe", "an asset's partition was looked at", _PARTITION + ", asset token, data_version token"),
    _kind("check", "a check was decided",
          _PARTITION + ", asset token, check token, severity token, status token, failed_rows count, total_rows count"),
    _kind("ledger", "a partition was accounted for",
          _PARTITION + ", record_type token, received count, canonical count, duplicate count, superseded count,"
          " quarantined count, ignored_by_rule count"),
    _kind("outcome.move", "units of an older partition changed their outcome",
          _PARTITION + ", record_type token, from_outcome token, to_outcome token, units count"),
    _kind("quarantine.put", "units were held in quarantine", _PARTITION + ", reason token, units count"),
    _kind("quarantine.release", "units left quarantine", _PARTITION + ", reason token, units count"),
    _kind("quarantine.discard", "units in quarantine were given up", _PARTITION + ", reason token, units count"),
    _kind("hold.put", "a partition was held back", _PARTITION + ", asset token, checks tokens"),
    _kind("hold.release", "a held partition was released", _PARTITION + ", asset token, checks tokens"),
    _kind("correct", "records restated earlier facts",
          _PARTITION + ", resource token, facts count, slices count?, late_days count?"),
    _kind("restate", "newer code or maps changed what a partition says",
          _PARTITION + ", asset token, old_version token, new_version token, rows count"),
    _kind("publish", "slices of a mart were published",
          "mart token, facility_id token, first_date date, last_date date, slices count, state token"),
    _kind("identity.link", "two patient records were joined", _PAIR),
    _kind("identity.unlink", "two patient records were kept apart", _PAIR),
    _kind("identity.overlay", "a steward said whether a record's content became another human's",
          "record hmac, run_seq count, answer token"),
    _kind("identity.merge", "persons became one", "persons hmacs, into hmac, rule token"),
    _kind("identity.split", "a person became several", "person hmac, into hmacs, rule token"),
    _kind("identity.resolve", "the patients touched by a batch were resolved",
          _PARTITION + ", patients count, links count, persons count, review count, policy token"),
    _kind("access.query", "someone asked a governed query", _ACCESS),
    _kind("access.export", "someone took data out", _ACCESS),
    _kind("access.trace", "someone traced a value to its source", _ACCESS),
    _kind("access.view", "someone looked at values", _ACCESS),
    _kind("access.breakglass", "someone took emergency access",
          "role token, product token, expires instant, patient hmac?"),
    _kind("breakglass.review", "an emergency access was reviewed", "entry count, finding token"),
    _kind("contract.change", "a product's contract changed", "product token, old_version token?, new_version token"),
    _kind("config.change", "a registered configuration changed",
          "object token, old_version token?, new_version token"),
    _kind("declassify", "a column's protection was lowered",
          "asset token, column token, from_level count, to_level count, basis token, expires date"),
    _kind("schema.drift", "a source changed its columns",
          _PARTITION + ", source token, added tokens, missing tokens"),
    _kind("key.create", "the log's first signing key", "public_key base64, fingerprint hash"),
    _kind("key.rotate", "the signing key changed",
          "old_fingerprint hash, public_key base64, fingerprint hash, proof base64"),
    _kind("checkpoint.anchor", "a checkpoint was kept outside", "size count, anchor token"),
    _kind("verify.result", "the log was verified", "size count, consistent flag, signed flag, anchored token"),
    _kind("backfill.start", "a backfill began", "selection tokens, facilities tokens, dates dates"),
    _kind("backfill.end", "a backfill ended", "state token, partitions count"),
    _kind("retention.delete", "data past its retention was deleted",
          "object token, policy token, items count, legal_hold_checked flag"),
    _kind("detail.erase", "what a person had written was erased", "entry count"),
    _kind("auth.fail", "someone was refused", "door token, cause token"),
    _kind("role.change", "a standing permission changed", "reader token, role token, granted flag, expires date?"),
    _kind("copy.write", "a masked copy was written", "policy token, tables count, rows count"),
)

EVENT_KINDS: dict[str, EventKind] = {kind.name: kind for kind in _ALL}
"""Name -> kind. An unknown kind is refused."""
