"""Holding what running totals hang on, so that two halves at once are added up.

Order of locks, everywhere: the request, its case (those who hear of the log take it), the head of the account's family, and
last the oldest authority version: whatever counts over all accounts (a renewal, the quarter caps) waits in line there.
"""

from accounts.models import Account
from approvals.matrix.running_totals import root_id
from approvals.models import AuthorityVersion, QuarterCap
from ledger.errors import Stale

TRIES = 5


def hold(*, account: Account, concession: str, renewal: str = "") -> None:
    """Until the transaction ends nobody else weighs an ask that would be added up with this one.

    Raises Stale when the account is moved to another family meanwhile, again and again.
    """
    _family(account)
    if renewal or QuarterCap.objects.filter(concession__slug=concession).exists():
        first = AuthorityVersion.objects.order_by("pk").values_list("pk", flat=True)[:1]
        list(AuthorityVersion.objects.select_for_update(no_key=True).filter(pk__in=list(first)))


def _family(account: Account) -> None:
    """The head may change until it is held: look again, and move on to the new one."""
    fresh, held = account, None
    for _ in range(TRIES):
        head = root_id(fresh)
        if head == held:
            return
        Account.objects.select_for_update(no_key=True).get(pk=head)
        held, fresh = head, Account.objects.get(pk=account.pk)
    raise Stale("The account is being moved between groups. Send it again in a moment.")
