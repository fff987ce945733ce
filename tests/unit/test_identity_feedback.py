"""What stewards' answers say about thresholds: bounds from statistics, proposals from bounds."""

from __future__ import annotations

import pytest

from transforms.identity.feedback import Answers, Proposal, most_share, proposals


@pytest.mark.parametrize(("contrary", "decided", "bound"), [
    (0, 0, 1.0), (0, 59, 0.04951), (0, 300, 0.009936), (1, 100, 0.046556), (5, 5, 1.0), (0, 29956, 0.0001)])
def test_the_bound_is_that_of_clopper_and_pearson(contrary: int, decided: int, bound: float) -> None:
    """Upper ends of the one-sided 95 % interval: 1 - 0.05^(1/n) where nothing was wrong, and tabled values else."""
    assert most_share(contrary, decided) == pytest.approx(bound, rel=1e-3)


def test_a_threshold_is_proposed_where_the_answers_carry_it() -> None:
    """From the highest band down as far as the bound on two humans allows; one mistake more and nothing is proposed."""
    clean = [Answers("r", "", "review", 20.0, 200, 0), Answers("r", "", "review", 15.0, 200, 0), Answers("r", "", "review", 10.0, 10, 9)]
    assert proposals(clean, 0.01) == [Proposal("r", "link", 15.0, 400, 0, most_share(0, 400))]
    assert proposals(clean, 0.0001) == []
    assert proposals([Answers("r", "", "review", 20.0, 195, 5)], 0.01) == []


def test_asking_is_given_up_only_where_it_yields_nothing() -> None:
    """Low bands in which sixty answers were two humans are proposed to be dropped; ten are too few to say so."""
    low, high = Answers("r", "", "review", 0.0, 0, 60), Answers("r", "", "review", 5.0, 30, 2)
    assert proposals([high, low], 0.0001) == [Proposal("r", "give_up", 5.0, 60, 0, most_share(0, 60))]
    assert proposals([high, Answers("r", "", "review", 0.0, 0, 10)], 0.0001) == []


def test_vetoes_and_links_move_no_threshold() -> None:
    """Answers under a veto propose nothing; of a linking rule it is told that its links were parted."""
    assert proposals([Answers("r", "middle", "review", 20.0, 500, 0)], 0.01) == []
    assert proposals([Answers("r", "", "auto", 20.0, 1, 2)], 0.01) == [Proposal("r", "look", None, 3, 2, None)]
    assert proposals([Answers("r", "", "auto", 20.0, 3, 0)], 0.01) == []
