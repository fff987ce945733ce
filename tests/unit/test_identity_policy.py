"""Model and policy files: read, checked, versioned by what they say."""

from __future__ import annotations

import datetime
import json
import random
from importlib import resources

import duckdb
import pyarrow as pa
import pytest
import yaml

from transforms.errors import ConfigurationError
from transforms.identity.blocking import RULES
from transforms.identity.comparisons import COMPARISONS
from transforms.identity.evidence import FIRST
from transforms.identity.model import load_model, splink_settings
from transforms.identity.policy import LEVELS, NUMBERS, Rule, condition_sql
from transforms.identity.policy_file import load_policy, policy_name
from transforms.identity.records import FEATURE_SCHEMA, FULL_BLOCK_SCHEMA, open_records
from transforms.identity.resolution import KEY_SCHEMA, find_edges
from transforms.identity.train import train
from transforms.identity.training_population import training_population


def _text(name: str) -> str:
    return resources.files("transforms.identity").joinpath(name).read_text(encoding="utf-8")


def test_the_shipped_model_weighs_agreement_up_and_disagreement_down() -> None:
    """For each comparison exact agreement is likelier among one human's records, and disagreement among two humans'."""
    model = load_model()
    for comparison in COMPARISONS:
        m_exact, u_exact = model.weights[comparison.name]["exact"]
        m_other, u_other = model.weights[comparison.name]["different"]
        assert m_exact > u_exact, comparison.name
        assert m_other < u_other, comparison.name


def test_the_model_version_is_its_content() -> None:
    """Spacing changes nothing, any constant changes the version."""
    content = json.loads(_text("model.json"))
    assert load_model(json.dumps(content)).version == load_model().version
    content["block_caps"]["phone"] += 1
    assert load_model(json.dumps(content)).version != load_model().version


@pytest.mark.parametrize("key", ["prior", "weights", "frequencies", "block_caps"])
def test_a_model_without_a_constant_is_refused(key: str) -> None:
    """A model file that lacks a constant names no default: it is a configuration error."""
    content = json.loads(_text("model.json"))
    del content[key]
    with pytest.raises(ConfigurationError, match="identity model"):
        load_model(json.dumps(content))


def test_every_block_rule_has_a_cap_and_the_settings_carry_every_level() -> None:
    """The scorer gets exactly the levels that the policy speaks of."""
    model = load_model()
    assert set(model.block_caps) == {rule.name for rule in RULES}
    for comparison, said in zip(COMPARISONS, splink_settings(1e-6)["comparisons"], strict=True):
        labels = [level["label_for_charts"] for level in said["comparison_levels"]]
        assert labels == ["unknown", *reversed(comparison.level_names())]


def test_balanced_links_all_that_strict_links_and_shares_its_vetoes() -> None:
    """Balanced only adds: the same vetoes, and every auto rule of strict."""
    strict, balanced = load_policy("strict"), load_policy("balanced")
    assert strict.vetoes == balanced.vetoes
    assert {rule.name for rule in strict.rules if rule.zone == "auto"} < {rule.name for rule in balanced.rules if rule.zone == "auto"}
    assert strict.version.startswith("strict-9-")
    assert strict.version != balanced.version
    assert isinstance(strict.effective_date, datetime.date)
    assert strict.owner


def test_a_policy_that_asks_for_the_impossible_is_refused() -> None:
    """Unknown policies, columns, levels and zones are configuration errors, found when the policy is read."""
    shipped = yaml.safe_load(_text("policy.yaml"))
    with pytest.raises(ConfigurationError):
        load_policy("lenient")
    for bad in ({"name": "r", "zone": "auto", "when": {"given": ["similar"]}}, {"name": "r", "zone": "auto", "when": {"shoe": ["exact"]}},
                {"name": "r", "zone": "maybe", "when": {"given": ["exact"]}}, {"name": "r", "zone": "auto", "when": {"given": 3}},
                {"name": "r; drop", "zone": "auto", "when": {"given": ["exact"]}}):
        shipped["policies"]["strict"]["rules"] = [bad]
        with pytest.raises(ConfigurationError, match=r"policy file:\d+: "):
            load_policy("strict", yaml.safe_dump(shipped))


OWN = {"version": 2, "owner": "registry", "effective_date": datetime.date(2026, 1, 31), "based_on": "strict",
       "rules": [{"name": "weighty", "zone": "auto", "when": {"weight": 5}}],
       "blocks": [{"name": "by_town", "parts": ["postal_code", "given:2"], "most": 30}]}


def _own(**said: object) -> str:
    return yaml.safe_dump({"policies": {"ours": {key: value for key, value in (OWN | said).items() if value is not None}}})


def test_a_file_adds_a_policy_with_rules_and_blocks_of_its_own() -> None:
    """It may build on a shipped policy, its version moves with its blocks, and it is named by its file where that holds one."""
    policy = load_policy("ours", more=_own())
    assert policy.vetoes == load_policy("strict").vetoes
    assert (policy.zones()["weighty"], policy.blocks[0].parts, policy.block_caps) == ("auto", ("postal_code", "left(given, 2)"), {"by_town": 30})
    assert policy.version.startswith("ours-2-")
    assert policy.version != load_policy("ours", more=_own(blocks=None)).version
    assert policy_name(_own()) == "ours"


@pytest.mark.parametrize(("text", "told"), [
    (_own(owner=None), "owner"), (_own(owner=" "), "owner"), (_own(effective_date=None), "effective_date"), (_own(effective_date="soon"), "effective_date"),
    (_own(version=None), "version"), (_own(based_on="lenient"), "based_on"),
    (_own(blocks=[{"name": "b", "parts": ["given) or (1=1"], "most": 9}]), "none of family"), (_own(blocks=[{"name": "b", "parts": [], "most": 9}]), "no part"),
    (_own(blocks=[{"name": "phone", "parts": ["phone"], "most": 9}]), "name of its own"), (_own(blocks=[{"name": "b", "parts": ["phone"]}]), "most"),
    ("policies: [", "not YAML"), ("vetoes: []", "no 'policies'"), (yaml.safe_dump({"policies": {"strict": OWN}}), "name of a shipped policy"),
])
def test_a_policy_file_that_lacks_something_is_refused(text: str, told: str) -> None:
    """Governance fields, blocks, their parts and names: each error says what is wrong; nothing falls back to a default."""
    with pytest.raises(ConfigurationError, match=told):
        load_policy("ours", more=text)


def test_a_veto_says_whom_it_keeps_apart() -> None:
    """Each shipped veto has a reason, which a steward is told by its name; one without a reason is refused."""
    strict = load_policy("strict")
    assert strict.veto_reason("suffix") == "father and son of one name"
    assert strict.veto_reason("no veto of this policy") == ""
    shipped = yaml.safe_load(_text("policy.yaml"))
    del shipped["policies"]["strict"]["vetoes"][0]["reason"]
    with pytest.raises(ConfigurationError, match="veto suffix says no reason"):
        load_policy("strict", yaml.safe_dump(shipped))


def test_a_veto_never_asks_for_a_weight() -> None:
    """Vetoes hold inside clusters, among pairs that nobody weighed: one that asks for a weight is refused."""
    shipped = yaml.safe_load(_text("policy.yaml"))
    shipped["policies"]["strict"]["vetoes"][0]["unless"] = [{"weight": 30}]
    with pytest.raises(ConfigurationError, match="asks for a weight"):
        load_policy("strict", yaml.safe_dump(shipped))


def test_conditions_become_sql() -> None:
    """A list is one of, a number is at least, `at_most` is what it says, unknown numbers satisfy neither, an exception is negated."""
    rule = Rule("r", "auto", {"given": ["exact", "short"], "weight": 20}, ({"ssn": ["exact"]},))
    assert rule.sql() == "(given in ('exact', 'short') and coalesce(weight, -1e9) >= 20.0 and not (ssn in ('exact')))"
    assert condition_sql({"witnesses": 1}) == "coalesce(witnesses, -1e9) >= 1.0"
    assert condition_sql({"against": {"at_most": 1}}) == "coalesce(against, 1e9) <= 1.0"


def test_a_new_model_can_be_trained_and_finds_who_is_who() -> None:
    """Trained on labelled records, a model links most pairs of other people of that world and no two humans."""
    model = train(training_population(400, 3), "test", chance_pairs=100_000)
    people = training_population(300, 4)
    features = people.select(FEATURE_SCHEMA.names)
    connection = open_records(features, FULL_BLOCK_SCHEMA.empty_table(), model)
    edges = find_edges(connection, features.select(["patient_key"]), KEY_SCHEMA.empty_table(), model, load_policy("strict"))
    connection.close()
    human = dict(zip(people["patient_key"].to_pylist(), people["person_no"].to_pylist(), strict=True))
    linked = [(row["patient_key_l"], row["patient_key_r"]) for row in edges.to_pylist() if row["zone"] == "auto"]
    sizes = pa.chunked_array(people["person_no"]).value_counts().to_pylist()
    true_pairs = sum(one["counts"] * (one["counts"] - 1) // 2 for one in sizes)
    assert all(human[left] == human[right] for left, right in linked)
    assert len(linked) > 0.5 * true_pairs


def test_a_pair_weighs_the_same_alone_as_in_a_crowd() -> None:
    """Scores come from registered constants: the other records at hand change no weight."""
    people = training_population(200, 5).select(FEATURE_SCHEMA.names)
    model, policy = load_model(), load_policy("strict")

    def scores(features: pa.Table) -> dict[tuple[str, str], float]:
        connection = open_records(features, FULL_BLOCK_SCHEMA.empty_table(), model)
        edges = find_edges(connection, features.select(["patient_key"]), KEY_SCHEMA.empty_table(), model, policy)
        connection.close()
        return {(row["patient_key_l"], row["patient_key_r"]): row["score"] for row in edges.to_pylist()}

    crowd = scores(people)
    few = scores(people.slice(0, 60))
    assert few
    assert few == {pair: crowd[pair] for pair in few}


def test_what_the_first_comparisons_give_up_no_rule_would_have_taken() -> None:
    """Of 20,000 drawn pairs each that ends with a rule is open by the first comparisons alone, while thousands of the others are given up."""
    policy = load_policy("strict")
    drawing = random.Random(5)
    columns = {name: drawing.choices(levels, k=20_000) for name, levels in LEVELS.items()}
    numbers = {name: [float(drawing.choice((0, 1, 2, 5, 20))) for _ in range(20_000)] for name in NUMBERS}
    connection = duckdb.connect()
    connection.register("drawn", pa.table(columns | numbers))
    found = connection.execute(f"""
        with barred as (select *, {policy.veto_sql()} as veto, {policy.open_sql(frozenset(FIRST))} as is_open from drawn)
        select is_open, {policy.rule_sql()} is not null as is_ruled, count(*) from barred group by all
    """).fetchall()
    counts = {(is_open, is_ruled): count for is_open, is_ruled, count in found}
    assert counts.get((False, True), 0) == 0
    assert counts[True, True] > 1000
    assert counts[False, False] > 4000


SECRET = "Amelia Kowalchuk 1961-05-17"
LATER = datetime.date(2026, 6, 1)


def _versions(*said: dict[str, object]) -> str:
    return yaml.safe_dump({"policies": {"ours": [{**OWN, **one} for one in said]}})


def test_tomorrows_version_takes_effect_by_itself() -> None:
    """Of two versions of one name the newest whose date has come holds; without a day the newest of all does."""
    text = _versions({}, {"version": 3, "effective_date": LATER, "rules": [{"name": "other", "zone": "review", "when": {"weight": 9}}]})
    shipped = yaml.safe_load(_text("policy.yaml"))
    shipped["policies"]["strict"]["effective_date"] = datetime.date(2026, 1, 1)
    before, after, newest = (load_policy("ours", yaml.safe_dump(shipped), text, on=day) for day in (datetime.date(2026, 5, 31), LATER, None))
    assert (before.version.split("-")[1], after.version, before.effective_date) == ("2", newest.version, datetime.date(2026, 1, 31))
    assert after.version.startswith("ours-3-")
    assert ("weighty" in before.zones(), "weighty" in after.zones()) == (True, False)


def test_a_policy_whose_day_has_not_come_judges_nobody() -> None:
    """Before the first version's date there is no policy: file, line, key and remedy are told, and a base that holds later is no base."""
    with pytest.raises(ConfigurationError, match=r"^mine\.yaml:\d+: effective_date of policy ours, version 2, is 2026-01-31: it judges nobody on "
                       r"2026-01-30.*Remedy: keep the version that holds until then .*LAKEHOUSE_IDENTITY_POLICY"):
        load_policy("ours", more=_own(), on=datetime.date(2026, 1, 30), file="mine.yaml")
    shipped = yaml.safe_load(_text("policy.yaml"))
    shipped["policies"]["strict"]["effective_date"] = LATER
    with pytest.raises(ConfigurationError, match="effective_date of policy strict"):
        load_policy("ours", text=yaml.safe_dump(shipped), more=_own(effective_date=datetime.date(2026, 2, 1)), on=datetime.date(2026, 5, 31))


@pytest.mark.parametrize("second", [{"version": 2, "effective_date": LATER}, {"version": 3}, {"version": 3, "effective_date": datetime.date(2026, 1, 1)}])
def test_versions_rise_with_their_dates(second: dict[str, object]) -> None:
    """A second version with no higher number or no later date would leave open which holds: it is refused."""
    with pytest.raises(ConfigurationError, match=r"ours does not (follow|take effect after) the one before it|of policy ours does not follow"):
        load_policy("ours", more=_versions({}, second))


def test_what_a_base_is_based_on_holds_too() -> None:
    """A policy on `balanced` has the vetoes and rules of strict below it; one that leads back to itself is refused."""
    policy = load_policy("ours", more=_own(based_on="balanced"))
    assert policy.vetoes == load_policy("strict").vetoes
    assert set(load_policy("balanced").zones()) < set(policy.zones())
    with pytest.raises(ConfigurationError, match="based_on"):
        load_policy("ours", more=_own(based_on="ours"))


@pytest.mark.parametrize("text", [
    SECRET, f"policies: [{SECRET}", f"policies:\n  {SECRET}:\n    version: 1", _own(version=SECRET), _own(effective_date=SECRET), _own(based_on=SECRET),
    _own(rules=[SECRET]), _own(rules=[{"name": SECRET, "zone": "auto", "when": {"weight": 5}}]), _own(rules=[{"name": "r", "zone": SECRET, "when": {"weight": 5}}]),
    _own(rules=[{"name": "r", "zone": "auto", "when": {SECRET: ["exact"]}}]), _own(rules=[{"name": "r", "zone": "auto", "when": {"given": [SECRET]}}]),
    _own(blocks=[{"name": SECRET, "parts": ["phone"], "most": 9}]), _own(blocks=[{"name": "b", "parts": [SECRET], "most": 9}]),
    _own(blocks=[{"name": "b", "parts": ["phone"], "most": SECRET}]), f"policies:\n  ours:\n    {SECRET}\n", "policies:\n  ours: \0", f"? [{SECRET}]\n: 1\n",
])
def test_a_malformed_policy_is_not_repeated(text: str) -> None:
    """A policy file that is something else may hold anything: the error names file and line or key, never what stands there, nor does its cause."""
    with pytest.raises(ConfigurationError, match="mine.yaml") as refused:
        load_policy("ours", more=text, file="mine.yaml")
    assert "Kowalchuk" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("spoil", [
    lambda content: content.update(prior=SECRET), lambda content: content["weights"]["given"].update(exact=[SECRET, 1]),
    lambda content: content["weights"]["given"].update(exact=SECRET), lambda content: content["block_caps"].update(phone=SECRET),
    lambda content: content.update(frequencies=SECRET), lambda content: content.update(default_frequency={"given": SECRET}),
])
def test_a_malformed_model_is_not_repeated(spoil: object) -> None:
    """Neither is a model's: the first key that is wrong is named, and no JSON by its line."""
    content = json.loads(_text("model.json"))
    spoil(content)  # type: ignore[operator]
    for text in (json.dumps(content), f'{{"prior": {SECRET}}}', f'["{SECRET}"]'):
        with pytest.raises(ConfigurationError, match="identity model: ") as refused:
            load_model(text)
        assert "Kowalchuk" not in str(refused.value)
