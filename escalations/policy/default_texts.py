"""Rhythm and message texts of policy version 1. Tables only; see `default_policy` for the numbers."""

from typing import Final, NamedTuple

from escalations.policy.default_numbers import DAY, GREEN, HOUR, RED, YELLOW


class Rhythm(NamedTuple):
    """How often the customer and the inside hear of a case, and who meets."""

    tier: str
    customer_minutes: int
    internal_minutes: int
    meeting: str
    attends: str


CADENCES: Final = (
    Rhythm(
        RED,
        DAY,
        4 * HOUR,
        "Real-time alerts, daily check-in of 15 minutes",
        "Owner, executive sponsor, communication lead, scribe and whoever is consulted",
    ),
    Rhythm(YELLOW, 2 * DAY, DAY, "Check-in on Tuesday and Friday", "Owner, director, CSM, AE"),
    Rhythm(GREEN, 7 * DAY, 7 * DAY, "", ""),
)

CUSTOMER_UPDATE = """Hello,

here is where your escalation {case} with {account} stands.

What we know:
What we are doing:
What we need from you:

{owner} owns it on our side. You hear from us again by {next_update}.
"""

HOLDING = """Hello,

thank you for telling us about this. {owner} is our specialist for it and is reviewing it now as {case}.
You get our review and a plan by {next_update}, even if the answer is not complete by then.
"""

HANDOFF = """{case}, {account}

What was tried:
What is open:
What the customer expects, and by when:
What I ask of you:
Where the evidence is:
Next customer update: {next_update}
"""

EMPATHY = """I can see what this has cost you and your team, and I am sorry that it came to this.
Let me repeat what I understood, so that I get it right: …
{owner} has this now. By {next_update} you know from us what happens next, and when.
What would a good outcome look like for you?
"""

BRIEF = """Decision brief {case}, {account}

Summary in one to three sentences:
Facts:
Options with trade-offs, the status quo among them:
Recommendation:
The ask, with a date and a time:
Risks and talking points:
Next step and who takes it:
"""

# slug, name, kind, body
TEXTS: Final = (
    ("customer-update", "Customer update", "customer_update", CUSTOMER_UPDATE),
    ("holding-message", "Holding message", "holding", HOLDING),
    ("handoff-notes", "Hand-off notes", "handoff", HANDOFF),
    ("empathy-script", "Empathy script", "empathy", EMPATHY),
    ("decision-brief", "Decision brief", "brief", BRIEF),
)
