"""The identity model: every constant that a score depends on, in one versioned file.

What belongs here: reading and checking `model.json` and turning it into Splink settings. Training is in `train.py`.
The version is a hash of the content, so that a model cannot change without its name changing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

from transforms.errors import ConfigurationError
from transforms.identity.blocking import RULES
from transforms.identity.comparisons import COMPARISONS, Comparison

_REMEDY = "Remedy: use the file that `lakehouse identity train` wrote."
Weights = dict[str, dict[str, tuple[float, float]]]


@dataclass(frozen=True)
class IdentityModel:
    """Registered constants.

    prior: probability that two random records are of one human. weights: comparison -> level -> (m, u), the probability of the level
    among pairs of one human and of two. frequencies: column -> value -> share of records, `default_frequency` for all other
    values. block_caps: blocking rule -> most records that a block may hold.
    """

    version: str
    trained_on: str
    prior: float
    weights: Weights
    frequencies: dict[str, dict[str, float]]
    default_frequency: dict[str, float]
    block_caps: dict[str, int]

    def frequency(self, column: str, value: str | None) -> float:
        """Give the registered share of a value."""
        return self.frequencies[column].get(value or "", self.default_frequency[column])


def splink_settings(prior: float) -> dict[str, Any]:
    """Build Splink settings over the shipped comparisons, to be trained."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "id",
        "probability_two_random_records_match": prior,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "blocking_rules_to_generate_predictions": ["l.birth_date = r.birth_date"],  # never used: pairs are registered
        "comparisons": [_splink_comparison(comparison) for comparison in COMPARISONS],
    }


def _splink_comparison(comparison: Comparison) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [{"sql_condition": comparison.unknown, "label_for_charts": "unknown", "is_null_level": True}]
    for level in comparison.levels:
        entry: dict[str, Any] = {"sql_condition": level.condition, "label_for_charts": level.name}
        if level.term_frequency:
            entry |= {"tf_adjustment_column": level.term_frequency, "tf_adjustment_weight": 1.0}
        levels.append(entry)
    levels.append({"sql_condition": "ELSE", "label_for_charts": "different"})
    return {"output_column_name": comparison.name, "comparison_levels": levels}


def load_model(text: str | None = None) -> IdentityModel:
    """Read a model; without `text` the shipped one. Raises ConfigurationError where a constant is missing."""
    if text is None:
        text = resources.files("transforms.identity").joinpath("model.json").read_text(encoding="utf-8")
    try:
        content = json.loads(text)
        weights: Weights = {
            comparison.name: {level: (float(pair[0]), float(pair[1])) for level, pair in content["weights"][comparison.name].items()}
            for comparison in COMPARISONS
        }
        model = IdentityModel(
            version=model_version(content),
            trained_on=str(content["trained_on"]),
            prior=float(content["prior"]),
            weights=weights,
            frequencies={column: {str(k): float(v) for k, v in values.items()} for column, values in content["frequencies"].items()},
            default_frequency={column: float(value) for column, value in content["default_frequency"].items()},
            block_caps={rule.name: int(content["block_caps"][rule.name]) for rule in RULES},
        )
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"identity model: no JSON in line {error.lineno}. {_REMEDY}") from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        # which key, and never what stands there: a file that was named by mistake may hold anything
        raise ConfigurationError(f"identity model: {_wrong_key(content)} is missing or not what it must be. {_REMEDY}") from None
    for comparison in COMPARISONS:
        missing = set(comparison.level_names()) - set(model.weights[comparison.name])
        if missing:
            raise ConfigurationError(f"identity model: weights of {comparison.name} lack {sorted(missing)}. Remedy: train again.")
    return model


def _wrong_key(content: Any) -> str:
    """Name the first key of a model that is missing or of another kind; `model` where all of them are there."""
    kinds = {"trained_on": str, "prior": int | float, "weights": dict, "frequencies": dict, "default_frequency": dict, "block_caps": dict}
    said = content if isinstance(content, dict) else {}
    wrong = [key for key, kind in kinds.items() if not isinstance(said.get(key), kind)]
    parts = {"weights": [comparison.name for comparison in COMPARISONS], "block_caps": [rule.name for rule in RULES]}
    wrong += [f"{key}.{part}" for key, needed in parts.items() if key not in wrong for part in needed if part not in said[key]]
    return wrong[0] if wrong else "a number"


def model_version(content: dict[str, Any]) -> str:
    """Give the version of a model: a hash of its canonical text."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "model-" + hashlib.sha256(canonical.encode()).hexdigest()[:12]
