"""Server-sent events out of bytes, however the network cuts them (https://html.spec.whatwg.org/#parsing-an-event-stream).

Only the data of an event is of interest here: comments, ids, names and retry times are read over.
"""

from __future__ import annotations

_BOM = b"\xef\xbb\xbf"


class EventData:
    """Turns the bytes of a stream into the data of its events, each as soon as its blank line is here.

    Lines may end in LF, CR or CRLF. Empty data, which some servers send to keep a connection awake, is not given.
    Unlike a browser this also gives the last event of a stream without its blank line, because many servers leave it
    out.
    """

    __slots__ = ("_after_cr", "_data", "_rest", "_started")

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: bytes | None = None
        self._after_cr = False
        self._started = False

    def feed(self, received: bytes) -> list[bytes]:
        """The data of the events that end in these bytes; the bytes may be cut anywhere."""
        if self._after_cr and received:
            # The line ended with the CR already; its LF belongs to no line.
            self._after_cr = False
            if received.startswith(b"\n"):
                received = received[1:]
        if b"\n" not in received and b"\r" not in received:
            # Not joined here, or a line of many pieces would be copied once for each.
            if received:
                self._rest.append(received)
            return []
        self._after_cr = received.endswith(b"\r")
        if self._rest:
            received = b"".join((*self._rest, received))
            self._rest = []
        if not self._started:
            self._started = True
            received = received.removeprefix(_BOM)
        lines = received.splitlines()
        if not received.endswith((b"\n", b"\r")):
            self._rest.append(lines.pop())
        return self._events(lines)

    def end(self) -> list[bytes]:
        """What the end of the stream leaves: the data of an event without its blank line, if there is one."""
        rest = b"".join(self._rest)
        self._rest = []
        events = self._events([rest if self._started else rest.removeprefix(_BOM), b""])
        self._started = True
        return events

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        data = self._data
        for line in lines:
            if line.startswith(b"data:"):
                value = line[6:] if line.startswith(b"data: ") else line[5:]
                data = value if data is None else data + b"\n" + value
            elif not line and data is not None:
                if data:
                    events.append(data)
                data = None
        self._data = data
        return events
