"""Kinds of news in the groups that people choose by. A kind that no group knows is always sent: word is not lost."""

from dataclasses import dataclass

DIGEST = "digest"
# A word back to somebody who wrote to us: no group knows it, so it is always sent.
ANSWER = "mail_answer"
NOW, OFF = "now", "off"


@dataclass(frozen=True)
class Group:
    """One row of the page on which people choose how they are told.

    `locked`: nobody may switch it off. `mailed`: the desk writes a mail of its own for it; without one, the in-app
    notice is sent as mail to those who ask for it.
    """

    slug: str
    label: str
    help: str
    kinds: frozenset[str]
    locked: bool = False
    mailed: bool = True

    @property
    def default(self) -> str:
        """How its mail goes while a person has chosen nothing."""
        return NOW if self.mailed else OFF


GROUPS = (
    Group(
        "breach", "SLA passed", "A clock on a case you are named on is past due.", frozenset({"breach"}), locked=True
    ),
    Group(
        "approval",
        "Approval requests",
        "Your decision or your answer is asked for. Reminders too.",
        frozenset({"approval", "approval_question"}),
        locked=True,
    ),
    Group(
        "handoff",
        "Hand-offs",
        "A duty is handed to you, or yours is accepted or refused.",
        frozenset({"handoff"}),
        True,
    ),
    Group("warning", "SLA warnings", "Most of the time of a clock is used.", frozenset({"warning"})),
    Group(
        "decision",
        "News on requests",
        "Decided, answered, escalated, recalled or taken back.",
        frozenset(f"approval_{each}" for each in ("decided", "passed_up", "answer", "recalled", "undone")),
    ),
    Group(
        "movement",
        "Cases that move",
        "Opened, escalated, resolved or reopened.",
        frozenset({"opened", "level", "resolved", "reopened"}),
        mailed=False,
    ),
    Group("update", "Posts", "Somebody posted on your case.", frozenset({"update"}), mailed=False),
    Group("action", "Actions", "An action in a tracker is yours.", frozenset({"action"}), mailed=False),
)
SWITCHABLE = {group.slug: group for group in GROUPS if not group.locked}
_GROUP_OF = {kind: group for group in GROUPS for kind in group.kinds}
CAPPED_KINDS = frozenset(kind for group in SWITCHABLE.values() for kind in group.kinds)


def group_of(kind: str) -> Group | None:
    """The group a kind belongs to; None for one that no group knows."""
    return _GROUP_OF.get(kind)


def switchable(kind: str) -> Group | None:
    """The group whose settings a kind follows; None when it is always sent."""
    return SWITCHABLE.get(group.slug) if (group := _GROUP_OF.get(kind)) else None
