"""Which components of successive plan versions are one and the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from billing.documents.nodes import Component, Group, PlanDocument
from billing.rating.frame import Span


@dataclass(frozen=True, slots=True)
class Track:
    """A component through the versions that have it with the same code, meter and price model: its tiers go
    on counting.

    `members` are (span, component) in order of time.
    """

    code: str
    meter: str | None
    members: tuple[tuple[Span, Component], ...]

    @property
    def last(self) -> Component:
        return self.members[-1][1]


def tracks_of(spans: Sequence[Span]) -> dict[str, list[Track]]:
    """The tracks by code of component, those of one code in order of time. Another plan begins a new
    count.
    """
    members: dict[tuple[str, str, str | None, str], list[tuple[Span, Component]]] = {}
    for span in spans:
        for component in span.plan.all_components():
            key = (component.code, span.plan.code, component.meter, component.price.model)
            members.setdefault(key, []).append((span, component))
    tracks: dict[str, list[Track]] = {}
    for (code, _, meter, _), each in members.items():
        tracks.setdefault(code, []).append(Track(code, meter, tuple(each)))
    return tracks


def parents(plan: PlanDocument) -> dict[str, str]:
    """The code of the group that holds each component or group directly."""
    return {
        child.code: node.code for node in plan.nodes() if isinstance(node, Group) for child in node.children
    }
