"""How long checking a state proof takes: python -m benchmarks.state_proof [slots] [entries of each trie].

A path in the trie of a busy contract on a large chain has seven or eight nodes, here some fewer; time grows with nodes.
"""

import sys
import time

import rlp
from eth_utils.crypto import keccak
from trie.hexary import HexaryTrie

from zkmargin.evidence.chain.proofs import proven_account, proven_words

ROUNDS = 30


def path(trie: HexaryTrie, key: bytes) -> list[bytes]:
    """The nodes from the root to a key, RLP."""
    return [rlp.encode(node) for node in trie.get_proof(keccak(key))]  # type: ignore[no-untyped-call]


def main(slots: int = 10, entries: int = 10_000) -> None:
    """Print the median time of checking an account with so many slots, and how many nodes that was."""
    storage = HexaryTrie({})
    for slot in range(entries):
        storage[keccak(slot.to_bytes(32, "big"))] = rlp.encode((slot + 1) << 100)
    code, address = keccak(b"code"), bytes(19) + b"\1"
    account = rlp.encode([1, 0, storage.root_hash, code])
    state = HexaryTrie({})
    for number in range(entries):
        state[keccak(number.to_bytes(20, "big"))] = account
    account_path = path(state, address)
    paths = {slot: path(storage, slot.to_bytes(32, "big")) for slot in range(slots)}
    nodes, times = len(account_path) + sum(map(len, paths.values())), []
    for _ in range(ROUNDS):
        started = time.process_time()
        found = proven_account(state.root_hash, address, account_path, "proof")
        words = proven_words(found, range(slots), paths, "proof")
        times.append(time.process_time() - started)
        assert words[slots - 1] == slots << 100
    middle = sorted(times)[ROUNDS // 2]
    print(
        f"{slots} slots, {nodes} nodes: {1000 * middle:.2f} ms of CPU, {1e6 * middle / nodes:.0f} us a node"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
