"""Governance: what the audit log and the catalog hold, as pure data and arithmetic.

Here: the Merkle tree, signed checkpoints, the closed list of event kinds, the shapes of the catalog's tables. Not
here: writing them (`assets.stores.catalog`), asking about them (`lineage`), showing them (`orchestration.catalog`).
"""
