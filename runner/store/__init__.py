"""Sessions on disk: an append-only event log in SQLite. Importing this loads neither sqlite3 nor pydantic."""

from runner.store.base import (
    Annotation,
    AnnotationKind,
    ExportFormat,
    Problem,
    RecoveredRun,
    SessionKey,
    SessionSummary,
    UsageBy,
    UsageSum,
)
from runner.store.leases import Lease
from runner.store.store import Store

__all__ = [
    "Annotation",
    "AnnotationKind",
    "ExportFormat",
    "Lease",
    "Problem",
    "RecoveredRun",
    "SessionKey",
    "SessionSummary",
    "Store",
    "UsageBy",
    "UsageSum",
]
