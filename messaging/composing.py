"""Messages that are composed when they leave: the apps above register who writes the words for each prefix of `source`."""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import User


@dataclass(frozen=True)
class Content:
    """What a mail says."""

    subject: str
    text: str
    html: str


Composer = Callable[[str, User | None], Content | None]
_composers: dict[str, Composer] = {}


def register(prefix: str, composer: Composer) -> None:
    """Let `composer` write messages whose source is `prefix:…`; it gets what follows the colon. The last registered counts."""
    _composers[prefix] = composer


def compose(source: str, user: User | None) -> Content | None:
    """The words of a message as things stand now; None when there is nothing left to say. Raises LookupError when nobody
    writes such messages."""
    prefix, _, rest = source.partition(":")
    return _composers[prefix](rest, user)
