"""What every recogniser, on the net or offline, looks like to the harness, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from audeo_bench.identify.titles import Answer

if TYPE_CHECKING:
    from audeo_bench.identify.segments import Segment


@dataclass(frozen=True)
class Reply:
    """An answer to one query, together with everything the service said (kept, so that rules may change)."""

    answer: Answer
    response: dict[str, Any] = field(default_factory=dict)


class ServiceFault(Exception):
    """The service gave no answer to this query: outcome *error*, which is never counted as not recognised."""


class ServiceUnreachable(ServiceFault):
    """No connection at all."""


class Service(Protocol):
    """A recogniser. ``name`` and ``version`` stand beside every rate; answers are kept under both."""

    name: str
    version: str

    async def __aenter__(self) -> Service: ...

    async def __aexit__(self, *exception: object) -> None: ...

    async def ask(self, segment: Segment) -> Reply:
        """Answer one query; raises :class:`ServiceFault`."""
        ...
