"""The Merkle tree against the published known answers and against trees built the slow way."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.governance.merkle import (
    EMPTY_ROOT,
    Frontier,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    tree_root,
)

# The inputs and roots that the Certificate Transparency reference implementation publishes for its tree
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def slow_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 s2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + slow_root(leaves[:k]) + slow_root(leaves[k:])).digest()


def leaves_of(count: int) -> list[bytes]:
    """`count` different leaf hashes."""
    return [leaf_hash(str(i).encode()) for i in range(count)]


@pytest.mark.parametrize("size", range(1, 9))
def test_known_answers(size: int) -> None:
    """Roots of the first eight trees are the published ones."""
    assert tree_root([leaf_hash(bytes.fromhex(text)) for text in INPUTS[:size]]).hex() == ROOTS[size - 1]


def test_empty_tree() -> None:
    """The root of nothing is the hash of nothing."""
    assert tree_root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Frontier().root() == EMPTY_ROOT


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    """Every entry's proof is accepted; the same proof for another entry, leaf or root is refused."""
    leaves = leaves_of(size)
    root = slow_root(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, lambda begin, end: slow_root(leaves[begin:end]))
    assert check_inclusion(index, size, leaves[index], proof, root)
    assert not check_inclusion(index, size, leaf_hash(b"other"), proof, root)
    assert not check_inclusion(index, size, leaves[index], proof, leaf_hash(b"other"))
    assert not check_inclusion(index, size, leaves[index], [*proof, root], root)
    assert not check_inclusion(size, size, leaves[index], proof, root)
    if size > 1:
        assert not check_inclusion((index + 1) % size, size, leaves[index], proof, root)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.data())
def test_consistency(new: int, data: st.DataObject) -> None:
    """A log extends each of its prefixes; with another prefix's root or an altered proof it does not."""
    leaves = leaves_of(new)
    old = data.draw(st.integers(1, new))
    old_root, new_root = slow_root(leaves[:old]), slow_root(leaves)
    proof = consistency_proof(old, new, lambda begin, end: slow_root(leaves[begin:end]))
    assert check_consistency(old, new, proof, old_root, new_root)
    assert not check_consistency(old, new, proof, leaf_hash(b"other"), new_root)
    assert not check_consistency(old, new, proof, old_root, leaf_hash(b"other"))
    for position in range(len(proof)):
        altered = [*proof[:position], leaf_hash(b"other"), *proof[position + 1 :]]
        assert not check_consistency(old, new, altered, old_root, new_root)


def test_frontier_survives_storing() -> None:
    """A frontier packed and unpacked at any size grows to the same roots as one that never rested."""
    leaves = leaves_of(70)
    for size in range(70):
        frontier = Frontier()
        for leaf in leaves[:size]:
            frontier.add(leaf)
        again = Frontier.unpack(size, frontier.pack())
        assert again.root() == slow_root(leaves[:size])
        again.add(leaves[size])
        assert again.root() == slow_root(leaves[: size + 1])


def test_tiles() -> None:
    """Each run of 256 entries yields one tile, whose root is that of the run."""
    leaves = leaves_of(1100)
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf)
    assert [tile for tile, _ in frontier.tiles] == [0, 1, 2, 3]
    bounds = list(pairwise(range(0, 1025, 256)))
    assert [root for _, root in frontier.tiles] == [slow_root(leaves[begin:end]) for begin, end in bounds]
