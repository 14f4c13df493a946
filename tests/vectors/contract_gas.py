"""Gas of verifying the golden proofs on an EVM, as code alone uses it.

    python -m tests.vectors.contract_gas

writes it again, into tests/vectors/contract_gas.json: a change of the contracts that makes verification dearer shows.
"""

import json
from pathlib import Path

from tests.argument.toys import TOYS
from tests.vectors.proofs import golden_case
from tests.verifier.contract.evms import Evm, deployed, ethereumjs
from zkmargin.algebra import ceremony, get_backend
from zkmargin.verifier.contract.artifacts import contracts
from zkmargin.verifier.contract.encoding import encode_points, encode_proof, program_chunks, read_proof

FILE = Path(__file__).with_name("contract_gas.json")
PROOFS = json.loads(Path(__file__).with_name("proofs.json").read_text())["vectors"]


def measured(evm: Evm) -> dict[str, int]:
    """Gas by toy, of those that a contract verifies."""
    contract = contracts()["MarginVerifier"]
    verifier = deployed(evm, "MarginVerifier")
    found = {}
    for name, toy in TOYS.items():
        if toy.columns > 1 or toy.committed:
            continue
        statement = golden_case(name, ceremony(get_backend())).statement
        (program,) = program_chunks(statement.relation)
        code = b"\0" + program
        creation = b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80600a3d393df3") + code
        proof = read_proof(statement.relation, bytes.fromhex(PROOFS[name]["proof"]))
        commitments = encode_points(term.point for term in statement.commitments)
        place = evm.run(None, creation).address
        arguments = (statement.digest, [place], statement.threshold, commitments, encode_proof(proof))
        outcome = evm.run(verifier, contract.call("verify", *arguments))
        assert outcome.refused is None, outcome.refused
        found[name] = outcome.gas
    return found


if __name__ == "__main__":
    with ethereumjs() as made:
        FILE.write_text(json.dumps(measured(made), indent=1) + "\n")
