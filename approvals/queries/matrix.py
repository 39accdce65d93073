"""The published authority matrix as a table for people."""

from datetime import datetime
from typing import Any

from accounts.models import User
from approvals.models import ApprovalRequest, AuthorityLimit, AuthorityVersion
from approvals.queries.authority import WINDOW, Answer
from approvals.rules.words import amount_words, money_words


def matrix(at: datetime, user: User, hit: Answer | None = None, concession: str = "") -> dict[str, Any]:
    """Version, columns (concessions), rows (roles with a cell each, own ones marked) and bands; `hit` marks its cell."""
    version = AuthorityVersion.objects.current(at)
    if version is None:
        return {"version": None, "columns": [], "rows": [], "bands": []}
    columns = list(version.concessions.all())
    limits = list(version.limits.select_related("role", "concession").order_by("role__level", "role__sort"))
    rows = [
        {
            "role": role,
            "mine": role.slug in user.role_slugs,
            "cells": [_cell(limits, role.pk, column.pk, hit, column.slug == concession) for column in columns],
        }
        for role in dict.fromkeys(limit.role for limit in limits)
    ]
    return {"version": version, "columns": columns, "rows": rows, "bands": _bands(version, at)}


def _cell(
    limits: list[AuthorityLimit], role_id: int, concession_id: int, hit: Answer | None, asked: bool
) -> dict[str, Any]:
    found = [limit for limit in limits if limit.role_id == role_id and limit.concession_id == concession_id]
    return {
        "lines": [_words(limit) for limit in found],
        "none": not found,
        "hit": bool(asked and hit and hit.role.pk == role_id),
    }


def _words(limit: AuthorityLimit) -> str:
    words = amount_words(limit.concession.unit, limit.up_to, limit.currency).capitalize()
    for_whom = [limit.segment] if limit.segment else []
    if limit.arr_from is not None or limit.arr_to is not None:
        low, high = limit.arr_from, limit.arr_to
        for_whom.append(f"ARR {money_words(low) if low else '$0'} {f'to {money_words(high)}' if high else 'and more'}")
    notes = ", ".join(for_whom + ([f"with {limit.needs_function.replace('-', ' ')}"] if limit.needs_function else []))
    return f"{words} ({notes})" if notes else words


def _bands(version: AuthorityVersion, at: datetime) -> list[dict[str, Any]]:
    used = list(
        ApprovalRequest.objects.filter(by_rule=True, decided_at__gt=at - WINDOW).values_list("concession", "tier")
    )
    return [
        {
            "name": f"{band.concession.name} up to {amount_words(band.concession.unit, band.up_to, band.currency)}",
            "tier": band.tier,
            "used": used.count((band.concession.slug, band.tier)),
        }
        for band in version.bands.select_related("concession")
    ]
