"""Self-approval: the parties of a request, and the people who must not decide it."""

from collections.abc import Iterable
from datetime import datetime

from allauth.account.models import EmailAddress
from django.db.models import F, FilteredRelation, Q

from accounts.models import User
from approvals.models import ApprovalRequest, Delegation
from approvals.requests.rules.conflicts import Party, plain, why_not


def conflict(request: ApprovalRequest, user: User, at: datetime) -> str:
    """Why this person must not decide this request; empty if it is not self-approval."""
    people = _with_owners([user, request.requester, request.beneficiary])
    parties = _parties(people, _addresses(people), at)
    return _why(parties, user.pk, request.requester_id, request.beneficiary_id)


def barred(requester: User, beneficiary: User | None, at: datetime) -> dict[int, str]:
    """The people who must not decide for these two, each with the reason."""
    core = _with_owners([requester, beneficiary])
    addresses = _addresses(core)
    suspects, theirs = _suspects(core, addresses, at)
    people, addresses = _with_owners([*core, *suspects]), addresses | theirs
    addresses |= _addresses([user for user in people if user.pk not in addresses])
    parties = _parties(people, addresses, at)
    reasons = {pk: _why(parties, pk, requester.pk, beneficiary.pk if beneficiary else None) for pk in parties}
    return {pk: why for pk, why in reasons.items() if why}


def _why(parties: dict[int, Party], user: int, requester: int, beneficiary: int | None) -> str:
    gains = parties.get(beneficiary or 0)
    return why_not(parties[user], parties[requester], gains, owners=parties.values())


def _with_owners(people: Iterable[User | None]) -> list[User]:
    """The people, each once, and the owners of the services among them."""
    found = {user.pk: user for user in people if user}
    owners = {user.manager_id for user in found.values() if user.kind == User.SERVICE and user.manager_id}
    missing = owners - found.keys()
    return [*found.values(), *(User.objects.filter(pk__in=missing) if missing else [])]


def _suspects(core: list[User], addresses: dict[int, set[str]], at: datetime) -> tuple[list[User], dict[int, set[str]]]:
    """Aliases, owned services, managers and stand-ins of the core, with their addresses."""
    ids = [user.pk for user in core]
    stand_ins = Delegation.objects.in_force(at).filter(user__in=ids).values("to")
    wanted = Q(kind=User.SERVICE, manager__in=ids) | Q(pk__in=stand_ins)
    wanted |= Q(pk__in=[user.manager_id for user in core if user.manager_id])
    if mailboxes := {address for each in addresses.values() for address in each}:
        known = EmailAddress.objects.filter(_any_of(mailboxes), verified=True)
        wanted |= _any_of(mailboxes) | Q(pk__in=known.values("user"))
    verified = FilteredRelation("emailaddress", condition=Q(emailaddress__verified=True))
    rows = User.objects.filter(wanted).exclude(pk__in=ids).annotate(verified=verified, mailbox=F("verified__email"))
    found: dict[int, set[str]] = {}
    for user in rows:
        found.setdefault(user.pk, {plain(user.email)}).update([plain(user.mailbox)] if user.mailbox else [])
    return list({user.pk: user for user in rows}.values()), found


def _any_of(mailboxes: Iterable[str]) -> Q:
    wanted = Q()
    for mailbox in mailboxes:
        local, _, domain = mailbox.rpartition("@")
        wanted |= Q(email__iexact=mailbox) | Q(email__istartswith=f"{local}+", email__iendswith=f"@{domain}")
    return wanted


def _addresses(users: Iterable[User]) -> dict[int, set[str]]:
    found = {user.pk: {plain(user.email)} for user in users}
    if not found:
        return found
    for pk, address in EmailAddress.objects.filter(user__in=list(found), verified=True).values_list("user", "email"):
        found[pk].add(plain(address))
    return found


def _parties(people: list[User], addresses: dict[int, set[str]], at: datetime) -> dict[int, Party]:
    delegators: dict[int, set[int]] = {}
    for to, user in Delegation.objects.in_force(at).filter(to__in=people).values_list("to", "user"):
        delegators.setdefault(to, set()).add(user)
    return {
        user.pk: Party(
            id=user.pk,
            name=str(user),
            addresses=frozenset(addresses[user.pk]),
            manager=user.manager_id,
            service=user.kind == User.SERVICE,
            delegators=frozenset(delegators.get(user.pk, ())),
        )
        for user in people
    }
