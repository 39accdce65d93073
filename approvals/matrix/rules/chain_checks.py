"""The checks besides the limits: bands, caps, committees, functions that take part, and decisions by mail."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from approvals.matrix.rules.limit_checks import Known
from approvals.matrix.rules.units import MONEY, unit_of

ALL, ANY, NUMBER, PERCENT_OF = "all", "any", "number", "percent"


@dataclass(frozen=True)
class Band:
    """A pre-approved range of the draft. `in_usd` is its amount for comparing, None without a rate."""

    concession: str
    unit: str
    tier: str
    up_to: Decimal
    currency: str = "USD"
    in_usd: Decimal | None = None

    @property
    def measured(self) -> Decimal | None:
        """The amount that can be compared with others of the concession."""
        return self.in_usd if self.unit == MONEY else self.up_to


@dataclass(frozen=True)
class CapRow:
    """The most a role may grant in a quarter."""

    concession: str
    unit: str
    role: str
    up_to: Decimal
    currency: str = "USD"
    has_limit: bool = True


@dataclass(frozen=True)
class Seats:
    """A committee (no concession) or a function that takes part, with the people who hold the role."""

    role: str
    holders: int
    quorum: str = ALL
    quorum_of: int | None = None
    concession: str = ""
    consult: bool = False
    place: str = ""
    above: Decimal | None = None
    segment: str = ""
    region: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Mailed:
    """The amounts of a concession that may be decided by e-mail: by reply, and from the link without signing in."""

    concession: str
    unit: str
    reply_up_to: Decimal | None = None
    link_up_to: Decimal | None = None


def check_bands(bands: Iterable[Band], known: Known) -> list[str]:
    """The range of a more serious tier may not be larger than that of a calmer one."""
    bands, found = list(bands), []
    for band in bands:
        found += [f"Band {band.concession}, {band.tier}: {problem}" for problem in _band(band, known)]
    for name in dict.fromkeys(band.concession for band in bands):
        found += _by_tier([band for band in bands if band.concession == name], known.tiers)
    return found


def _band(band: Band, known: Known) -> list[str]:
    found = []
    unit = unit_of(band.unit)
    if not unit.takes_amount:
        found.append("a yes-or-no concession cannot be pre-approved.")
    if band.up_to <= 0:
        found.append("the range must be above 0.")
    if unit.most is not None and band.up_to > unit.most:
        found.append(f"the range cannot be above {unit.words(unit.most)}.")
    if known.tiers and band.tier not in known.tiers:
        found.append(f"tier “{band.tier}” is not known. Use {', '.join(sorted(known.tiers))}.")
    if unit.in_currency and known.currencies and band.currency not in known.currencies:
        found.append(f"there is no exchange rate for “{band.currency}”. Add one, or use another currency.")
    return found


def _by_tier(bands: list[Band], tiers: Sequence[str]) -> list[str]:
    """Groups ranges by tier, the least serious first."""
    by_tier = {tier: [band for band in bands if band.tier == tier] for tier in tiers}
    found = [f"Band {rows[0].concession}, {tier}: two ranges. Keep one." for tier, rows in by_tier.items() if rows[1:]]
    calmer: Band | None = None
    for place, tier in enumerate(tiers):
        for band in by_tier[tier][:1]:
            where = f"Band {band.concession}, {tier}"
            if place and calmer is None:
                found.append(f"{where}: {tiers[0]} cases are less serious and have no range. Add one for them.")
            elif calmer and (band.measured or Decimal(0)) > (calmer.measured or Decimal(0)):
                found.append(
                    f"{where}: it is larger than the range for {calmer.tier} cases, which are less serious. Lower it."
                )
            calmer = band
    return found


def check_caps(caps: Iterable[CapRow], known: Known) -> list[str]:
    """A cap is above 0, in a known currency, for a role that has a limit."""
    found = []
    for cap in caps:
        where = f"Cap {cap.concession}, {cap.role}"
        if cap.up_to <= 0:
            found.append(f"{where}: the cap must be above 0. Delete the role's limits if it may grant nothing.")
        if not unit_of(cap.unit).takes_amount and cap.up_to != cap.up_to.to_integral_value():
            found.append(f"{where}: a yes-or-no concession is counted. Enter a whole number.")
        if unit_of(cap.unit).in_currency and known.currencies and cap.currency not in known.currencies:
            found.append(f"{where}: there is no exchange rate for “{cap.currency}”. Add one, or use another currency.")
        if not cap.has_limit:
            found.append(f"{where}: the role has no limit for it, so the cap does nothing. Delete it, or add a limit.")
    return found


def check_seats(rows: Iterable[Seats], known: Known, *, committees: bool) -> list[str]:
    """Committees and functions must have holders and a quorum that can be reached, each once."""
    rows, found = list(rows), []
    for row in rows:
        where = (
            f"Committee {row.role}" if committees else f"Function {row.role}, {row.concession or 'every concession'}"
        )
        found += [f"{where}: {problem}" for problem in [*_quorum(row), *_function(row, known)]]
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        same = (row.role, row.concession, row.segment, row.region, str(row.above))
        if same in seen:
            found.append(
                f"{'Committee' if committees else 'Function'} {row.role}: named twice for the same asks. Keep one."
            )
        seen.add(same)
    return found


def _quorum(row: Seats) -> list[str]:
    if not row.holders and not row.consult:
        return [f"nobody holds the role {row.role}, so it could never be decided. Assign it, or delete the row."]
    if row.quorum == NUMBER and (row.quorum_of or 0) < 1:
        return ["enter how many of them must agree."]
    if row.quorum == NUMBER and not row.consult and (row.quorum_of or 0) > row.holders:
        return [f"{row.quorum_of} of them must agree, but {row.holders} hold the role. Lower it, or assign more."]
    if row.quorum == PERCENT_OF and not 1 <= (row.quorum_of or 0) <= 100:
        return ["a share of them is 1 to 100 percent."]
    if row.quorum in (ALL, ANY) and row.quorum_of is not None:
        return [f"“{row.quorum}” takes no number. Empty it, or choose a number or a share of them."]
    return []


def _function(row: Seats, known: Known) -> list[str]:
    found = []
    if row.above is not None and row.unit and not unit_of(row.unit).takes_amount:
        found.append("a yes-or-no concession has no amount to be above. Empty “above”.")
    elif row.above is not None and row.above < 0:
        found.append("“above” cannot be below 0.")
    if row.consult and row.place == "after":
        found.append("people cannot be consulted after the decision. Choose before or at the same time.")
    for name, value, values in (("segment", row.segment, known.segments), ("region", row.region, known.regions)):
        if value and values and value.strip().casefold() not in {each.strip().casefold() for each in values}:
            found.append(f"no account has the {name} “{value}”.")
    return found


def check_mailed(rows: Iterable[Mailed]) -> list[str]:
    """Mail may decide concessions with an amount, never a yes-or-no concession."""
    found = []
    for row in rows:
        for name, amount in (("Reply up to", row.reply_up_to), ("Link up to", row.link_up_to)):
            if amount is None:
                continue
            unit = unit_of(row.unit)
            if not unit.takes_amount:
                found.append(f"{row.concession}: a yes-or-no concession is never decided by mail. Empty “{name}”.")
            elif amount <= 0:
                found.append(f"{row.concession}: “{name}” must be above 0. Empty it for never.")
            elif unit.most is not None and amount > unit.most:
                found.append(f"{row.concession}: “{name}” cannot be above {unit.words(unit.most)}.")
    return found


def check_window(days: int) -> list[str]:
    """Grants add up over at least a day and at most two years."""
    return [] if 1 <= days <= 730 else ["Days in which grants are added up: enter 1 to 730."]
