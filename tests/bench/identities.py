"""Patient identity on a generated population with known truth, beside plain Splink: stock comparisons, one threshold, connected components.

The peer gets the same normalised features; it trains itself, as it ships without a model, and has neither increments nor undoing: new records
and a parted pair are a whole run for it.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from assets.stores.identity import Settings
from assets.stores.identity_file import ScratchIdentity, scratch_identity
from orchestration.opening import dbt_runner
from orchestration.settings import load_settings
from tests.bench.measuring import Figure
from tests.identity_bench.measures import batch_file, run, score
from tests.identity_bench.wrong_merges import merge, part
from transforms.identity.model import load_model
from transforms.identity.policy import load_policy

PEOPLE = 24_000
THRESHOLD = 0.99
PEER = f"plain Splink, threshold {THRESHOLD}"
_COLUMNS = "family, given, birth_date, gender, postal_code, address_number, phone, email, ssn, ssn_last4"


def identities(folder: Path) -> Iterator[Figure]:
    """Measure a full run, an increment of 1 % and one undoing, in CPU seconds, and how many pairs are right."""
    run("generate.py", "--people", str(PEOPLE), "--seed", "17", "--out", str(folder))
    dbt = dbt_runner(load_settings(), "local")
    dbt.prepare()
    with scratch_identity(dbt, Settings(load_model(), load_policy(), salt="bench")) as scratch:
        # dbt and Splink are imported by a run over a handful of records
        scratch.add(batch_file(folder))
        scratch.resolve()
    with scratch_identity(dbt, Settings(load_model(), load_policy(), salt="bench")) as scratch:
        full = _spent(lambda: (scratch.add(folder / "records.parquet"), scratch.resolve()))
        ours, review = scratch.links(), scratch.review()
        found: list[pa.Table] = []
        peer = _spent(lambda: found.append(_plain_splink(scratch)))
        increment = _spent(lambda: (scratch.add(batch_file(folder)), scratch.resolve(everything=False)))
        pair = next(zip(review["record_id_l"].to_pylist(), review["record_id_r"].to_pylist(), strict=True))
        merge(scratch, [pair])
        scratch.resolve(everything=False)
        part(scratch, [pair])
        undoing = _spent(lambda: scratch.resolve(everything=False))
    records = f"{ours.num_rows:,} patient records"
    yield Figure(f"{records}: who is one human, all anew", "seconds of CPU, one run", full, PEER, peer)
    yield Figure(f"{records} and 1 % more", "seconds of CPU, one run", increment, f"{PEER}, all again", peer)
    yield Figure(f"{records}: one wrong merge undone", "seconds of CPU, one run", undoing, f"{PEER}, all again", peer)
    told, plain = score(folder, ours, review), score(folder, found[0], review)
    for what, measure in (("linked pairs that are one human", "precision"), ("pairs of one human that are linked, nobody asked", "recall")):
        yield Figure(f"{records}: {what}", "of 100,000", 1e5 * told[measure], PEER, 1e5 * plain[measure])


def _spent(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _plain_splink(scratch: ScratchIdentity) -> pa.Table:
    """Train, predict and cluster as Splink's own introduction does: record_id, person_id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import splink.comparison_library as compare
        from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    logging.getLogger("splink").setLevel(logging.ERROR)
    with scratch.store.open(read_only=True) as warehouse:
        features = warehouse.query(f"select patient_key as unique_id, left(given, 1) as initial, {_COLUMNS} from identity.patient_features")
    api = DuckDBAPI()
    linker = Linker(api.register(features), SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            compare.NameComparison("given").configure(term_frequency_adjustments=True),
            compare.NameComparison("family").configure(term_frequency_adjustments=True),
            compare.DateOfBirthComparison("birth_date", input_is_string=False), compare.ExactMatch("gender"), compare.ExactMatch("postal_code"),
            compare.ExactMatch("address_number"), compare.LevenshteinAtThresholds("phone", [1]), compare.EmailComparison("email"),
            compare.ExactMatch("ssn_last4"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("ssn"), block_on("birth_date", "initial"), block_on("birth_date", "family"), block_on("phone", "initial"),
            block_on("email", "initial"), block_on("family", "given", "postal_code"), block_on("birth_date", "postal_code"),
        ],
    ), log_level=None)
    linker.training.estimate_u_using_random_sampling(max_pairs=1_000_000, seed=1)
    for rule in (block_on("family", "given"), block_on("birth_date")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predictions = linker.inference.predict(threshold_match_probability=THRESHOLD, warning_mode="never")
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, threshold_match_probability=THRESHOLD)
    found = clusters.as_pyarrow_table()
    return pa.table({"record_id": found["unique_id"].cast(scratch.kind), "person_id": found["cluster_id"]})
