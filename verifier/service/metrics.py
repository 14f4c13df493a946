"""What Prometheus sees. With several worker processes the counts of all are added up (PROMETHEUS_MULTIPROC_DIR)."""

from __future__ import annotations

import os

from prometheus_client import REGISTRY as OWN
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

REQUESTS = Counter("zkmargin_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "zkmargin_request_seconds",
    "Time to answer",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
PROOFS = Counter("zkmargin_proofs", "Proofs by what became of them", ["outcome"])
BATCH = Histogram("zkmargin_batch_proofs", "Proofs verified together", buckets=(1, 2, 4, 8, 16, 32, 64, 128))
VERIFY = Histogram("zkmargin_verify_seconds", "Time to verify a batch")
RECORD = Histogram("zkmargin_record_seconds", "Time to record a batch")
MOVES = Counter("zkmargin_pledges_aged", "Pledges found stale or lapsed")
PULLS = Counter("zkmargin_oracle_pulls", "Questions to oracles by what became of them", ["outcome"])
DELIVERIES = Counter("zkmargin_webhook_deliveries", "Attempts to deliver to a webhook", ["outcome"])


def exposition() -> bytes:
    """The metrics in Prometheus' text format."""
    if os.environ.get(DIRECTORY_VARIABLE):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(OWN)
