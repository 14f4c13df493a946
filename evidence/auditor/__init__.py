"""Holdings that an auditor reads at a venue with a key that can only read: twice, with nothing moved between."""

from zkmargin.evidence.auditor.plan import AuditPlan
from zkmargin.evidence.auditor.reader import Auditor

__all__ = ["AuditPlan", "Auditor"]
