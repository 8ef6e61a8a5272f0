"""Sessions of other programs as runs of ours: read from their logs, never changed there."""
