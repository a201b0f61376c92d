"""The checks of a door, each by a part of the package, and requests for it."""

from collections.abc import Iterable

from flightline import serving


class FrontDoor:
    """What a door can check, one method each; a `serving.Refused` says no.

    Parameters
    ----------
    keys : iterable of KeyRecord
        Who may come in.
    budget : int
        Requests of each caller; none comes back, since this clock stands still.
    most_bytes : int
        The longest body.

    Attributes
    ----------
    read : int
        Bytes of bodies that were read so far.
    """

    def __init__(
        self, keys: Iterable[serving.KeyRecord], budget: int, most_bytes: int = 4096
    ) -> None:
        self.records = {record.name: record for record in keys}
        self.buckets = {name: serving.TokenBucket(1, budget) for name in self.records}
        self.most_bytes, self.read = most_bytes, 0

    def caller(self, request: serving.Request) -> str:
        """Return whose key it is."""
        name = serving.caller_of(request.key, self.records)
        if name is None:
            raise serving.Refused(401, "unknown_key", "This key is not known.")
        return name

    def spend(self, caller: str) -> None:
        """Take a token of the caller's budget."""
        if self.buckets[caller].take(0.0) > 0:
            raise serving.Refused(429, "too_many_requests", "Your budget is used up.")

    def size(self, request: serving.Request) -> None:
        """Look at the length that the head states."""
        if request.size > self.most_bytes:
            raise self._too_large()

    def body(self, request: serving.Request) -> bytes:
        """Read the body, piece by piece, and no more than is allowed."""
        parts, size = [], 0
        for piece in request.pieces:
            self.read += len(piece)
            size += len(piece)
            if size > self.most_bytes:
                raise self._too_large()
            parts.append(piece)
        return b"".join(parts)

    def flight(self, body: bytes) -> serving.Flight:
        """Read the flight, field by field."""
        return serving.read_request(serving.Flight, body)

    def _too_large(self) -> serving.Refused:
        """Return the refusal of a long body."""
        return serving.Refused(
            413, "too_large", f"A request has at most {self.most_bytes} bytes."
        )


def request(key: str, body: bytes, size: int | None = None) -> serving.Request:
    """Return a request whose body comes in pieces of a kilobyte.

    Parameters
    ----------
    key : str
        What the caller sends as a key.
    body : bytes
        The body.
    size : int, optional
        The length that the head states, if not the real one.
    """
    pieces = (body[at : at + 1024] for at in range(0, len(body), 1024))
    return serving.Request(key, len(body) if size is None else size, pieces)
