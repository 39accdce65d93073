"""Blocks that apps above add to the account page: open escalations, commitments, concessions."""

from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from accounts.models import Account, User


class Panel(TypedDict):
    """One block: its heading, the template of its content, and the context for it."""

    title: str
    template: str
    context: Mapping[str, Any]


Builder = Callable[[Account, User], Panel | None]
_builders: list[Builder] = []


def register(builder: Builder) -> Builder:
    """Add a block; builders run in the order in which they were registered. One that answers None shows nothing."""
    if builder not in _builders:
        _builders.append(builder)
    return builder


def panels_for(account: Account, user: User) -> list[Panel]:
    """The blocks of this account for this person. Each builder must take a constant number of queries."""
    return [panel for builder in _builders if (panel := builder(account, user)) is not None]
