"""The program as it is, with one addition: when a key reaches the application, its time and name go to a file.

`python -m tests.bench.probed FILE [ARGUMENT...]`; the time is of the machine's monotonic clock, in seconds.
"""

from __future__ import annotations

import os
import sys
import time

from textual import events

from tui.app import QuarterdeckApp
from tui.cli import main_with


def main() -> int:
    descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    handle = QuarterdeckApp.on_event

    async def on_event(self: QuarterdeckApp, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            os.write(descriptor, f"{time.monotonic()} {event.character or event.key}\n".encode())
        await handle(self, event)

    QuarterdeckApp.on_event = on_event
    return main_with(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
