"""Messages that are composed when they leave: the apps above register who writes the words for each prefix of `source`,
and who makes what is enclosed. Both run outside any transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from accounts.models import User


@dataclass(frozen=True)
class Content:
    """What a mail says."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class File:
    """One file that goes with a mail."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Enclosed:
    """What goes with a mail. `words` are sentences to replace in it, so that a mail that leaves without its file says so."""

    files: Sequence[File] = ()
    words: Mapping[str, str] = field(default_factory=dict)


Composer = Callable[[str, User | None], Content | None]
Encloser = Callable[[str, bool], Enclosed]
_composers: dict[str, Composer] = {}
_enclosers: dict[str, Encloser] = {}


def register(prefix: str, composer: Composer) -> None:
    """Let `composer` write messages whose source is `prefix:…`; it gets what follows the colon. The last registered counts."""
    _composers[prefix] = composer


def compose(source: str, user: User | None) -> Content | None:
    """The words of a message as things stand now; None when there is nothing left to say. Raises LookupError when nobody
    writes such messages."""
    prefix, _, rest = source.partition(":")
    return _composers[prefix](rest, user)


def register_enclosures(prefix: str, encloser: Encloser) -> None:
    """Let `encloser` make the files for messages whose source is `prefix:…`. It gets what follows the colon, and whether the
    mail leaves at all; it must answer within seconds, whatever happens: mail does not wait for documents."""
    _enclosers[prefix] = encloser


def enclosed(source: str, *, leaves: bool) -> Enclosed:
    """What goes with a message; nothing when nobody encloses anything with such messages."""
    prefix, _, rest = source.partition(":")
    encloser = _enclosers.get(prefix)
    return encloser(rest, leaves) if encloser else Enclosed()
