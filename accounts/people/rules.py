"""How a person is drawn beside a name, and when roles leave somebody outside. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

COLOURS = ("", "b", "c", "d")


def initials(name: str, email: str = "") -> str:
    """Two letters for the avatar."""
    words = name.split() or [email]
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()


def avatar(pk: int) -> str:
    """One of four avatar colours, stable per person."""
    return COLOURS[pk % len(COLOURS)]


@dataclass(frozen=True)
class Held:
    """A role held from one moment to another (half-open). `shared`: a role of external parties."""

    shared: bool
    starts: datetime
    ends: datetime | None = None

    def in_force(self, at: datetime) -> bool:
        """Whether it applies at that moment."""
        return self.starts <= at and (self.ends is None or self.ends > at)


def ends_up_outside(holdings: Sequence[Held], at: datetime) -> bool:
    """Whether these holdings make somebody an external party, now or at a later moment: no other role is in force then, and
    one of an external party is held at any time."""
    inside = [each for each in holdings if not each.shared]
    moments = [at, *(each.ends for each in inside if each.ends and each.ends > at)]
    alone = any(not any(each.in_force(moment) for each in inside) for moment in moments)
    return alone and len(inside) < len(holdings)
