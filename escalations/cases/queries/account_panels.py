"""Blocks of the account page that only cases can fill: open escalations, commitments, mail that was set aside, files of
mail."""

from collections.abc import Mapping

from accounts.customers.panels import AccountPanel
from accounts.models import Account, User
from escalations.cases.queries import mails
from escalations.models import Commitment, Escalation, may_see
from ledger.now import now
from messaging.outbox.rules.secrets import masked

SHOWN = 10
WORDS_SHOWN = 300


# What the panel shows of a mail, and what tells its case.
COLUMNS = (
    "subject",
    "sender",
    "sender_name",
    "received_at",
    "note",
    "visible_text",
    "recipients",
    "in_reply_to",
    "references",
)


class OpenCases(AccountPanel):
    """Cases of the account that the person may see, the soonest due first; ended ones are counted."""

    title = "Open escalations"
    template = "escalations/panels/open_cases.html"

    def read(self, account: Account, user: User) -> Mapping[str, object]:
        """At most ten cases with their status."""
        seen = Escalation.objects.filter(account=account).visible_to(user, few=True)
        seen = seen.select_related("issue_type", "owner", "policy")
        rows = list(seen.open().order_by("sla_due_at", "-id")[:SHOWN])
        at = now()
        cases = [{"case": case, "state": case.sla_status(at)} for case in rows]
        ended = seen.exclude(pk__in=[case.pk for case in rows]).count()
        return {"cases": cases, "ended": ended, "at": at, "account": account}


class Commitments(AccountPanel):
    """The commitments of both sides, open ones first; not shown if there are none on cases the person may see."""

    title = "Commitments"
    template = "escalations/panels/commitments.html"

    def read(self, account: Account, user: User) -> Mapping[str, object] | None:
        """At most ten commitments."""
        seen = may_see(user, "case", few=True)
        promised = Commitment.objects.filter(seen, account=account).select_related("owner", "case")
        rows = sorted(
            promised.order_by("-due_on")[:SHOWN], key=lambda made: (made.state != Commitment.OPEN, made.due_on)
        )
        return {"commitments": rows, "today": now().date()} if rows else None


class SetAside(AccountPanel):
    """Mail of the account's contacts that was set aside because it looks automatic; a person can file it on a case."""

    title = "Set aside, looks automatic"
    template = "escalations/panels/set_aside.html"

    def read(self, account: Account, user: User) -> Mapping[str, object] | None:
        """At most ten mails of 90 days, with the open cases that the person may file them on."""
        found = mails.set_aside(account).only(*COLUMNS).prefetch_related("attachments")[:SHOWN]
        rows = mails.readable(list(found), account, user)
        if not rows:
            return None
        cases = Escalation.objects.filter(account=account).visible_to(user, few=True).open()
        shown = [{"mail": mail, "words": masked(mail.visible_text[:WORDS_SHOWN])} for mail in rows]
        return {"mails": shown, "cases": list(cases.only("title", "state").order_by("-pk")[:SHOWN])}


class MailFiles(AccountPanel):
    """The attachments of mail that is a signal of the account and on no case."""

    title = "Attachments of mail without a case"
    template = "escalations/panels/mail_files.html"

    def read(self, account: Account, user: User) -> Mapping[str, object] | None:
        """At most ten mails, the newest first."""
        rows = mails.with_files(account, user).defer("text", "visible_text", "cut").prefetch_related("attachments")
        found = list(rows[:SHOWN])
        return {"mails": found} if found else None
