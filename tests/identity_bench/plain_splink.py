"""The peer: plain Splink with stock comparisons, one threshold and connected components, as its own introduction does.

It gets the product's normalised features; it trains itself, as it ships without a model, and has neither increments nor undoing: new records
and a parted pair are a whole run for it.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import duckdb
import pyarrow as pa

THRESHOLD = 0.99
PEER = f"plain Splink, threshold {THRESHOLD}"
COLUMNS = (
    "patient_key", "family", "given", "birth_date", "gender", "postal_code", "address_number", "phone", "email", "ssn", "ssn_last4",
)


def plain_splink(features: pa.Table, spill: Path, memory: str = "8GB") -> pa.Table:
    """Train, predict and cluster records (COLUMNS): patient_key, person_id. What does not fit into `memory` goes to folder `spill`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import splink.comparison_library as compare
        from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect(":memory:", config={"memory_limit": memory, "temp_directory": str(spill)})
    connection.register("given_features", features)
    records = connection.execute("select patient_key as unique_id, left(given, 1) as initial, * exclude (patient_key) from given_features")
    api = DuckDBAPI(connection)
    linker = Linker(api.register(records.to_arrow_table()), SettingsCreator(
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
    connection.close()
    return pa.table({"patient_key": found["unique_id"], "person_id": found["cluster_id"]})
