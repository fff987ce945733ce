"""The Merkle tree of the audit log: hashing, growth, inclusion and consistency proofs (RFC 9162 s2.1, as RFC 6962).

A log of n entries has one root. Growing it needs only the *frontier*, the roots of the perfect subtrees from left to
right (at most 40 for a million million entries). A proof is a list of sibling hashes; checking one needs no log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_SIZE = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
"""Roots of runs of 256 entries are stored, so that a proof reads 256 leaves and not the whole log."""

EMPTY_ROOT = sha256(b"").digest()

RootOf = Callable[[int, int], bytes]
"""(begin, end) -> root of the entries [begin, end); begin is a multiple of the largest power of two in the range."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of one entry. The prefix keeps leaves and nodes apart, so that no node can pass as an entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node over its two children."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The growing edge of a tree: its size and the roots of its perfect subtrees, left to right."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Start from a stored state; a tree of `size` entries has as many peaks as `size` has one bits."""
        if len(peaks) != size.bit_count():
            raise ValueError("a frontier has one peak for each one bit of its size")
        self.size = size
        self.peaks = list(peaks)
        self.tiles: list[tuple[int, bytes]] = []
        """(tile ordinal, root) of the tiles that were completed by `add` since the start."""

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> Frontier:
        """The frontier that `pack` wrote."""
        return cls(size, [packed[i : i + HASH_SIZE] for i in range(0, len(packed), HASH_SIZE)])

    def pack(self) -> bytes:
        """The peaks, concatenated."""
        return b"".join(self.peaks)

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash; O(1) on average."""
        node, bits, height = leaf, self.size, 0
        while bits & 1:
            node = node_hash(self.peaks.pop(), node)
            bits >>= 1
            height += 1
            if height == TILE_HEIGHT:
                self.tiles.append((self.size >> TILE_HEIGHT, node))
        self.peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Root of the whole tree."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes (RFC 9162 s2.1.1)."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf)
    return frontier.root()


def split_point(count: int) -> int:
    """The largest power of two below `count` (count >= 2): where the tree over `count` entries divides."""
    return 1 << (count - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, root_of: RootOf) -> list[bytes]:
    """Sibling hashes from entry `index` up to the root of the first `size` entries (RFC 9162 s2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError("the entry is outside the tree")
    begin, end = 0, size
    siblings: list[bytes] = []
    while end - begin > 1:
        middle = begin + split_point(end - begin)
        if index < middle:
            siblings.append(root_of(middle, end))
            end = middle
        else:
            siblings.append(root_of(begin, middle))
            begin = middle
    return siblings[::-1]


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Does the proof lead from the leaf at `index` to the root of a tree of `size` (RFC 9162 s2.1.3.2)?"""
    if not 0 <= index < size:
        return False
    position, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and node == root


def consistency_proof(old: int, new: int, root_of: RootOf) -> list[bytes]:
    """Hashes that show a tree of `new` entries to extend the tree of its first `old` (RFC 9162 s2.1.4.1)."""
    if not 0 < old <= new:
        raise ValueError("consistency is between a non-empty tree and a later one")
    begin, end, proof, whole = 0, new, [], True
    while old != end:
        middle = begin + split_point(end - begin)
        if old <= middle:
            proof.append(root_of(middle, end))
            end = middle
        else:
            proof.append(root_of(begin, middle))
            begin, whole = middle, False
    if not whole:
        proof.append(root_of(begin, end))
    return proof[::-1]


def check_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Does the proof show the tree with `old_root` to be a prefix of the one with `new_root` (RFC 9162 s2.1.4.2)?"""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            newer = node_hash(newer, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and older == old_root and newer == new_root
