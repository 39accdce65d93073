"""The line that a mail program puts above a quoted mail: "On 3 May 2026 at 10:15, Ana Roy <ana@example.com> wrote:"."""

import re
from dataclasses import dataclass

from messaging.inbound.rules.quoted_headers import TIME_OF_DAY
from messaging.inbound.rules.reply_words import OPENERS, TOLD, TOLD_UNSPACED, WROTE, either

ATTRIBUTION_LINES = 6
MAX_LINE = 300  # longer lines are text, never a header of a quotation
SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*$")

_QUOTED = re.compile(r"^\s{0,8}(?:>|\w{1,10}>(?=\s|>|$))")
_VERB = re.compile(rf"(?:^|[\s>\"'”»)\]，,、])(?P<verb>{either(WROTE)})(?=\s|[:：]\s*$|$)", re.IGNORECASE)
_VERB_LAST = re.compile(rf"{either(WROTE)}\s*[:：]?$", re.IGNORECASE)
_OPENER = re.compile(rf"^(?:{either(OPENERS)}[\s.,،]|\d)", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d{1,2}[./]\d{1,2}[./]\d{2}(?!\d)")
_NUMBERS = re.compile(r"\d+")
_ADDRESS_LAST = re.compile(r"<[^<>\s]{1,200}@[^<>\s]{1,200}(?:<[^<>]{0,200}>)?>\)?\s*[:：]$")
_ADDRESSES = re.compile(r"[^\s<>()\[\]\"',;:&]{1,120}@[^\s<>()\[\]\"',;:&]{1,120}")
_NAMED_ADDRESS = re.compile(r"^[^<>:]{1,80}?\s?[<(\[]\s?[^<>\s]{1,200}@[^<>\s]{1,200}\s?[>)\]]")
_ADDRESS_ALONE = re.compile(r"^[<(\[]?[^<>()\[\]\s]{1,120}@[^<>()\[\]\s]{1,120}[>)\]]?\s")
# The second half of an attribution that was broken within its address.
_REST_OF_ADDRESS = re.compile(r"^[^<>\s]{1,120}@[^<>\s]{1,120}>$")
_ISO_DATE = r"(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}"
_DATE_AND_ADDRESS = re.compile(
    rf"^(?:\w{{2,4}},? )?{_ISO_DATE}[T ,][^<>\[\]]{{0,80}}[<(\[] ?(?:mailto:)?[^<>\s]{{1,120}}@[^<>\s]{{1,120}}[>)\]]\s*[:：]?$"
    rf"|^[^<>:]{{0,60}}<[^<>\s]{{1,120}}@[^<>\s]{{1,120}}>,? (?:\w{{2,4}},? )?{_ISO_DATE}[^<>]{{0,40}}[:：]?$"
)
_ISO_DATE_FIRST = re.compile(rf"^(?:\w{{2,4}},? )?{_ISO_DATE}[T ,]")
_LAST_WORDS = re.compile(r"[^\W\d_] (?P<word>[^\W\d_]{2,})\.$")
_CITES = re.compile(r"^[\"'“”„«‚‘「『]")
# "On 3 May you wrote:" is a sentence of the sender about an earlier mail.
_TOLD = re.compile(
    r"\b(?:you|we|i|he|she|they|(?:your|our|my|the|his|her|their)(?: \w+){1,3}) (?:wrote|writes|ha(?:s|ve) written)"
    r"|\bschrieb(?:en|st)? (?:sie|wir|ich|du|er|uns|mir|ihr|unser|mein)\w*\b|\b(?:sie|wir|ich|ihr\w*|unser\w*) .{0,30}schrieb"
    r"|\b(?:vous (?:avez|nous avez)|nous avons|j['’]ai|votre \w+ (?:nous )?a) [ée]crit"
    rf"|\b{either(TOLD)}\b|(?:{TOLD_UNSPACED})",
    re.IGNORECASE,
)


def attribution_end(lines: list[str], at: int) -> int:
    """The line after "On … wrote:" when one opens at `at`, else 0. Clients break it over up to six lines, and some leave one
    of them blank."""
    if (
        not lines[at]
        or is_quoted(lines[at])
        or not (_may_end_attribution(lines[at]) or _may_open_attribution(lines[at]))
    ):
        return 0
    joined, blank = "", 0
    for end in range(at + 1, min(at + ATTRIBUTION_LINES, len(lines)) + 1):
        line = lines[end - 1].strip()
        if not line and joined and not blank and _goes_on(joined, next_text(lines, end)):
            blank = end
            continue
        if (
            not line
            or _is_ended(joined)
            or len(joined) + len(line) > MAX_LINE
            or (end > at + 1 and _begins_attribution(line))
        ):
            return 0
        joined = f"{joined} {line}".strip()
        if _may_end_attribution(line) and _is_attribution(joined, end == at + 1, next_text(lines, end)):
            return end
    return 0


def is_quoted(line: str) -> bool:
    return bool(_QUOTED.match(line))


def next_text(lines: list[str], at: int) -> str:
    return next((line for line in lines[at : at + 4] if line), "")


def _is_ended(joined: str) -> bool:
    """Whether nothing of the attribution may follow on the next line: it has its colon, or is a sentence. The period of
    a month ("1. helmik.", "2026. okt.") ends nothing."""
    if joined.endswith((":", "：", "!", "?", "。")):
        return True
    last = _LAST_WORDS.search(joined)
    return bool(last and last["word"].islower())


def _goes_on(joined: str, following: str) -> bool:
    """Whether an attribution goes on below a blank line: the address or the verb is still missing, and it follows."""
    opens = _OPENER.match(joined) and len(_NUMBERS.findall(joined)) >= 2 and not SENTENCE_END.search(joined)
    return bool(
        opens and _may_end_attribution(following.strip()) and ("@" in following or _VERB_LAST.search(following))
    )


def _may_end_attribution(line: str) -> bool:
    line = line.rstrip("-_* ")
    return line.endswith((":", "：")) or bool(
        _VERB_LAST.search(line[-40:]) or _DATE_AND_ADDRESS.match(line) or _REST_OF_ADDRESS.match(line)
    )


def _may_open_attribution(line: str) -> bool:
    return bool(
        "@" in line or _YEAR.search(line) or TIME_OF_DAY.search(line) or (_OPENER.match(line) and _NUMBERS.search(line))
    )


def _begins_attribution(line: str) -> bool:
    return bool(_OPENER.match(line) and not line[0].isdigit() and len(_NUMBERS.findall(line)) >= 2)


@dataclass(frozen=True)
class _Candidate:
    """Lines that may be an attribution, joined."""

    text: str
    single_line: bool
    following: str  # the next line that is not blank

    @property
    def has_year(self) -> bool:
        return bool(_YEAR.search(self.text))

    @property
    def has_time(self) -> bool:
        return bool(TIME_OF_DAY.search(self.text))

    @property
    def is_dated(self) -> bool:
        return (self.has_year or self.has_time) and len(_NUMBERS.findall(self.text)) >= 2

    @property
    def has_colon(self) -> bool:
        return self.text.endswith((":", "："))

    @property
    def ends_in_verb(self) -> bool:
        return bool(_VERB_LAST.search(self.text[-40:]))

    @property
    def quote_follows(self) -> bool:
        return is_quoted(self.following)


def _is_attribution(joined: str, single_line: bool, following: str) -> bool:
    found = _Candidate(joined.strip("-_* "), single_line, following)
    if len(set(map(str.casefold, _ADDRESSES.findall(found.text)))) > 1:
        return False
    if found.is_dated and found.has_year and _ADDRESS_LAST.search(found.text):
        return True
    if _is_told(found):
        return False
    if _DATE_AND_ADDRESS.match(found.text) and (found.quote_follows or found.has_colon):
        return True
    return _says_who_wrote(found) or _introduces_brackets(found)


def _is_told(found: _Candidate) -> bool:
    """A sentence of the sender about an earlier mail. Behind an address, an attribution has the verb and the date only."""
    behind_address = found.text.rpartition(">")[2]
    cites = "@" not in found.text and _CITES.match(found.following)
    return not found.quote_follows and bool(cites or _TOLD.search(behind_address))


def _says_who_wrote(found: _Candidate) -> bool:
    """The verb with a date, or with the address."""
    text, verb_last = found.text, found.ends_in_verb
    if not verb_last and not _VERB.search(text):
        return False
    sure = "@" in text or (found.has_year and found.has_time) or found.quote_follows
    if found.is_dated and (sure or (found.has_time and _OPENER.match(text) and verb_last)):
        return True
    if _NAMED_ADDRESS.match(text) and (verb_last or found.is_dated):
        return True
    return verb_last and bool(_ADDRESS_ALONE.match(text)) and len(text.split()) <= 3


def _introduces_brackets(found: _Candidate) -> bool:
    """One line right above a bracketed quotation needs less: an ISO date, the verb, or an address."""
    if not found.quote_follows or not found.single_line:
        return False
    if found.ends_in_verb and len(found.text) < 100:
        return True
    return found.has_colon and ("@" in found.text or bool(_ISO_DATE_FIRST.match(found.text)))
