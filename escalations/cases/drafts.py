"""The unsent text of the intake form: one draft for each person."""

from accounts.models import User
from escalations.models import IntakeDraft
from ledger.now import now


def save(*, user: User, data: dict[str, str]) -> IntakeDraft | None:
    """Keep the typed text. An empty form does not change an earlier draft; the same text is not written twice."""
    typed = {name: value for name, value in data.items() if value.strip()}
    kept = IntakeDraft.objects.filter(user=user).first()
    if not typed or (kept and kept.data == typed):
        return kept
    draft, _ = IntakeDraft.objects.update_or_create(user=user, defaults={"data": typed, "saved_at": now()})
    return draft


def discard(*, user: User) -> None:
    """Delete the draft, if there is one."""
    IntakeDraft.objects.filter(user=user).delete()
