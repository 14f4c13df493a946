"""What is proven: relations over committed holdings, one builder for each margin model, and the statement."""

from zkmargin.circuits.errors import RelationError, WitnessError
from zkmargin.circuits.model_relation import Thresholds, build_relation
from zkmargin.circuits.relation import Relation
from zkmargin.circuits.statement import CommitmentTerm, CommittedRows, Statement
from zkmargin.circuits.witness import Witness, assign, check

__all__ = [
    "CommitmentTerm",
    "CommittedRows",
    "Relation",
    "RelationError",
    "Statement",
    "Thresholds",
    "Witness",
    "WitnessError",
    "assign",
    "build_relation",
    "check",
]
