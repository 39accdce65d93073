"""Who may do what on a visible case. Pure: the person's role on the case in, yes or no out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """A person's role on a case."""

    owner: bool = False
    authority: bool = False
    communication: bool = False
    named: bool = False
    opened: bool = False
    account_team: bool = False
    senior: bool = False  # holds a deciding role and sees the case through the reporting tree or as executive
    ops: bool = False


_RULES: dict[str, tuple[str, ...]] = {
    "customer_update": ("communication",),
    "decide": ("authority",),
    "status": ("owner", "communication", "authority", "ops"),
    "hand_off": ("owner", "communication", "opened", "account_team", "senior", "ops"),
    "roles": ("owner", "senior", "ops"),
    "escalate": ("owner", "communication", "opened", "account_team", "authority", "senior", "ops"),
    "pause": ("owner", "communication", "ops"),
    "ask": ("owner", "communication", "opened", "account_team", "ops"),
    "brief": ("owner", "communication", "named", "opened", "account_team", "ops"),
    "action": ("owner", "communication", "authority", "named", "opened", "account_team", "senior", "ops"),
    "execute": ("owner", "communication", "ops"),
    "resolve": ("owner", "communication", "ops"),
    "review": ("owner", "communication", "named", "senior", "ops"),
    "close": ("owner", "communication", "senior", "ops"),
    "reopen": ("owner", "communication", "opened", "account_team", "senior", "ops"),
    "share": ("owner", "communication", "authority", "senior", "ops"),
    "duplicate": ("owner", "communication", "opened", "account_team", "senior", "ops"),
    "move_message": ("owner", "communication", "account_team", "ops"),
    "contact": ("owner", "communication", "account_team", "ops"),
    "withdraw": ("owner", "opened", "account_team", "ops"),
}


def may(verb: str, standing: Standing) -> bool:
    """Whether the verb is allowed. An unknown verb is never allowed."""
    return any(getattr(standing, name) for name in _RULES.get(verb, ()))


def who_may(verb: str) -> str:
    """The allowed people, for the refusal."""
    names = {
        "owner": "the escalation owner",
        "communication": "the communication lead",
        "authority": "the decision authority",
        "opened": "the person who raised it",
        "account_team": "the account team",
        "named": "people named on the case",
        "senior": "their managers",
        "ops": "operations",
    }
    return ", ".join(names[name] for name in _RULES.get(verb, ()) if name in names) or "nobody"
