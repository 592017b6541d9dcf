"""Asking a listener about segments, one after the other, keeping every answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from audeo_bench.errors import AudeoBenchError
from audeo_bench.identify.ledger import Ledger
from audeo_bench.identify.segments import Segment
from audeo_bench.identify.service import Service, ServiceFault, ServiceUnreachable

FAULTS_IN_A_ROW = 5
"""So many segments in a row without an answer, and the run stops: going on would only spend the quota."""


async def ask_all(
    service: Service,
    segments: Iterable[Segment],
    ledger: Ledger,
    on_progress: Callable[[], None] = lambda: None,
) -> None:
    """Ask for every segment that the ledger has no answer to; each answer is committed before the next query.

    A fault is noted in the ledger and the next segment is asked; the next run asks the faulty one again.

    Raises
    ------
    AudeoBenchError
        If the service cannot be reached before it ever answered, or gave no answer many times in a row.
    """
    answered, faults = False, 0
    async with service:
        for segment in segments:
            if ledger.find(service.name, service.version, segment.sha256) is None:
                try:
                    reply = await service.ask(segment)
                except ServiceFault as fault:
                    faults += 1
                    if isinstance(fault, ServiceUnreachable) and not answered:
                        raise AudeoBenchError(
                            f"{service.name} cannot be reached ({fault}); check the network or ask an "
                            "offline engine (--service pitch). Answers so far are kept."
                        ) from fault
                    ledger.note_fault(service.name, service.version, segment.sha256, str(fault))
                    if faults >= FAULTS_IN_A_ROW:
                        raise AudeoBenchError(
                            f"{service.name} gave no answer {faults} times in a row, the last time: {fault}. "
                            "Answers so far are kept; run the same command later to go on."
                        ) from fault
                else:
                    answered, faults = True, 0
                    ledger.record(service.name, service.version, segment.sha256, reply)
            on_progress()
