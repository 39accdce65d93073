"""The groups of message kinds in the notification settings. A kind that is in no group is always sent."""

from dataclasses import dataclass

DIGEST = "digest"
# An answer to a person who wrote to us. It is in no group, so it is always sent.
ANSWER = "mail_answer"
# What an external party may get: written for them, with nothing of a case in it. Every other kind is not sent to them.
SHARED = "shared"
TO_EXTERNAL = frozenset({SHARED})
NOW, OFF = "now", "off"


@dataclass(frozen=True)
class Group:
    """One row of the notification settings. `locked`: it cannot be switched off. `mailed`: the desk writes a mail for
    it; otherwise the in-app notice is sent as mail to people who ask for that.
    """

    slug: str
    label: str
    help: str
    kinds: frozenset[str]
    locked: bool = False
    mailed: bool = True

    @property
    def default(self) -> str:
        """The mail option of a person who has chosen nothing."""
        return NOW if self.mailed else OFF


GROUPS = (
    Group(
        "breach", "SLA passed", "A clock on a case you are named on is past due.", frozenset({"breach"}), locked=True
    ),
    Group(
        "approval",
        "Approval requests",
        "You are asked for a decision or an answer. Includes reminders.",
        frozenset({"approval", "approval_question"}),
        locked=True,
    ),
    Group(
        "handoff",
        "Hand-offs",
        "A duty is handed to you, or your hand-off is accepted or refused.",
        frozenset({"handoff"}),
        True,
    ),
    Group("warning", "SLA warnings", "Most of the time of a clock is used.", frozenset({"warning"})),
    Group(
        "decision",
        "Updates on requests",
        "Decided, answered, escalated, recalled or undone.",
        frozenset(f"approval_{each}" for each in ("decided", "passed_up", "answer", "recalled", "undone")),
    ),
    Group(
        "movement",
        "Case changes",
        "Opened, escalated, resolved or reopened.",
        frozenset({"opened", "level", "resolved", "reopened"}),
        mailed=False,
    ),
    Group(
        "customer",
        "Customer messages",
        "A customer wrote on your case or your account.",
        frozenset({"customer", "unopened"}),
        mailed=False,
    ),
    Group("update", "Posts", "Somebody posted on your case.", frozenset({"update"}), mailed=False),
    Group("action", "Actions", "An action in a tracker is assigned to you.", frozenset({"action"}), mailed=False),
)
SWITCHABLE = {group.slug: group for group in GROUPS if not group.locked}
_GROUP_OF = {kind: group for group in GROUPS for kind in group.kinds}
CAPPED_KINDS = frozenset(kind for group in SWITCHABLE.values() for kind in group.kinds)


def group_of(kind: str) -> Group | None:
    """The group of a kind; None if it is in no group."""
    return _GROUP_OF.get(kind)


def switchable(kind: str) -> Group | None:
    """The group whose settings a kind follows; None when it is always sent."""
    return SWITCHABLE.get(group.slug) if (group := _GROUP_OF.get(kind)) else None
