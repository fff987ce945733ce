"""Faults planted behind each promise, to see that its tests fail: `mutations.yaml` names them, `make mutants` runs them."""
