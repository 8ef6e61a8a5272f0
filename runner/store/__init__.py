"""Sessions on disk: an append-only event log in SQLite. Importing this loads neither sqlite3 nor pydantic."""

from runner.store.base import ExportFormat, Problem, RecoveredRun, SessionSummary, UsageBy, UsageSum
from runner.store.leases import Lease
from runner.store.store import Store

__all__ = ["ExportFormat", "Lease", "Problem", "RecoveredRun", "SessionSummary", "Store", "UsageBy", "UsageSum"]
