"""A decision without a concession: the decision authority decides on the case itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from approvals.models import ApprovalRequest
from escalations import states
from escalations.cases import handoffs, notifications
from escalations.cases.access import check, decides
from escalations.cases.files import Place, attach, noted
from escalations.cases.log import Entry, lock_with_requests, record
from escalations.cases.thread import first_act, inside_told
from escalations.clocks import verbs as clocks
from escalations.clocks.book import together
from escalations.models import CaseDecision, CaseFile, CasePerson, Escalation, Event
from ledger import chain
from ledger.errors import Invalid, NotAllowed
from ledger.files.uploads import Upload
from ledger.now import now
from ledger.reading import has_words

DECIDED = (*ApprovalRequest.GRANTED, ApprovalRequest.DECLINED)


@dataclass(frozen=True)
class Ruling:
    """What was decided, why, and the options that were weighed."""

    decision: str
    rationale: str
    options: str = ""
    files: Sequence[Upload] = ()

    @property
    def text(self) -> str:
        """As it stands in the log."""
        options = f"**Options:** {self.options.strip()}" if has_words(self.options) else ""
        return "\n\n".join(filter(None, [self.decision.strip(), options, f"**Why:** {self.rationale.strip()}"]))


@transaction.atomic
def decide(*, case_id: int, by: User, ruling: Ruling) -> Event:
    """Decide on a case without a request: the decision stands in the log, the decision clock ends, and the level of the
    person counts as the one that decided. Raises NotAllowed for anybody but the decision authority, Invalid without a
    decision or a reason, for a case that has ended, while a request waits for a decision, and for a concession that was
    never decided as a request; NotStored for a file that
    cannot be kept.
    """
    if not has_words(ruling.decision):
        raise Invalid("Enter what was decided.", field="text")
    if not has_words(ruling.rationale):
        raise Invalid("Enter why it was decided so.", field="rationale")
    at, case = now(), lock_with_requests(case_id)
    check(case, by, "decide")
    if not decides(case, by):
        level = case.policy.ladder.label(case.level)
        raise NotAllowed(f"You hold no role now that decides at {level}. Ask operations, or hand the duty over.")
    if not case.is_open:
        raise Invalid(f"{case.key} is {states.in_a_sentence(case.state)}. Reopen it before you decide.", field="text")
    if case.requests.filter(state="open").exists():
        raise Invalid("A request waits for a decision. Decide the request, or recall it first.", field="text")
    if case.concession and not case.requests.filter(state__in=DECIDED).exists():
        raise Invalid("This case asks for a concession. Request an approval, which checks the limits.", field="text")
    return _decided(case, by, ruling, at)


def _decided(case: Escalation, by: User, ruling: Ruling, at: datetime) -> Event:
    level = _level_of(case, by)
    data = {"level": level, **noted(ruling.files)}
    entry = Entry(kind=Event.NOTE_DECISION, audience=Event.INTERNAL, actor=by, text=ruling.text, data=data)
    with together(case):
        [event] = record(case, [entry], at=at)
        clocks.stop(case, states.DECISION, at=at)
        case.decided_at, case.decided_level = at, level
        chain.save(case, ["decided_at", "decided_level"])
        first_act(case, by, at)
        inside_told(case, at, check_in=False)
    attach(case, ruling.files, Place(CaseFile.THREAD, by, at, event=event))
    # A person who decides has accepted the duty, even without an answer to the hand-off.
    case.people.filter(duty=CasePerson.AUTHORITY, user=by, accepted_at=None).update(accepted_at=at)
    handoffs.settle(case, duty=CasePerson.AUTHORITY, by=by, at=at)
    CaseDecision.objects.create(case=case, event=event, by=by, level=level, at=at)
    notifications.decided_here(case, event)
    return event


def _level_of(case: Escalation, by: User) -> str:
    """The highest level at which the person decides by a role held now."""
    ladder = case.policy.ladder
    return ladder.slug(max(ladder.rank_of(role.level) for role in by.roles))
