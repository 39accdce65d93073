"""The newly written part of a reply: what the sender typed, without the quotation and the signature.

Everything works line by line with a bounded look-ahead, so the cost grows with the length of the text and no more.
"""

import re
from dataclasses import dataclass

from messaging.inbound.rules.html_text import html_to_text
from messaging.inbound.rules.reply_phrases import (
    LABELS,
    MOBILE_SIGNATURE,
    OPENERS,
    ORIGINAL_MESSAGE,
    SIGN_OFFS,
    WROTE,
    either,
)

MAX_CHARACTERS = 1_000_000
MAX_LINES = 5_000  # nobody types more; the rest can only be quotation or noise
MAX_LINE = 300  # longer lines are prose, never a header of a quotation
ATTRIBUTION_LINES = 4
SIGNATURE_LINES = 15

_INVISIBLE = dict.fromkeys(
    [0, 0x00AD, 0x1427, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)]
) | {0x00A0: " ", 0x2007: " ", 0x202F: " ", 0x2028: "\n", 0x2029: "\n", 0x0085: "\n"}
_QUOTED = re.compile(r"^\s{0,8}(?:>|\w{1,10}>(?=\s|>|$))")
_BRACKETED = re.compile(r"^\s{0,8}>")
_RULE = re.compile(r"^\s*[-_=*#~+—–─]{2,}\s*$")
_FOOTER_RULE = re.compile(r"^\s{0,3}_{2,}\s*$")
_MARKED = re.compile(r"^[\s>*]{0,8}[-_=*]{2,}\s?(\S.{1,60}?)\s?[-_=*]{2,}\s*$")
_VERB = re.compile(rf"(?:^|[\s>\"'”»)\]，,、])(?P<verb>{either(WROTE)})(?=[\s:：]|$)", re.IGNORECASE)
_VERB_LAST = re.compile(rf"{either(WROTE)}\s*[:：]?$", re.IGNORECASE)
_OPENER = re.compile(rf"^(?:{either(OPENERS)}[\s.,،]|\d)", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d{1,2}[./]\d{1,2}[./]\d{2}(?!\d)")
_TIME = re.compile(r"(?<!\d)\d{1,2}\s?[:.h時点时]\s?\d{2}(?!\d)|\d\s?[ap]\.?m\b", re.IGNORECASE)
_NUMBERS = re.compile(r"\d+")
_ADDRESS_LAST = re.compile(r"<[^<>\s]{1,200}@[^<>\s]{1,200}(?:<[^<>]{0,200}>)?>\)?\s*[:：]$")
_DATE_AND_ADDRESS = re.compile(r"^(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2} [^<>]{1,60} <[^<>\s]{1,120}@[^<>\s]{1,120}>:?$")
_NAMED_ADDRESS = re.compile(r"^[^<>:]{1,80}?\s?[<(\[]\s?[^<>\s]{1,200}@[^<>\s]{1,200}\s?[>)\]]")


@dataclass(frozen=True)
class ReplyText:
    text: str
    is_own: bool  # False: nothing was typed, the text is that of a forwarded or quoted mail


def visible_reply(text: str) -> str:
    """What a person reads as the answer. A mail that only forwards another shows the forwarded words."""
    return read_reply(text).text


def visible_reply_html(html: str) -> str:
    return read_reply(html_to_text(html)).text


def read_reply(text: str) -> ReplyText:
    lines = _clean_lines(text)
    own = _own_words(lines)
    if own:
        return ReplyText(own, True)
    return ReplyText(_own_words(_inside_forward(lines)), False)


def _clean_lines(text: str) -> list[str]:
    text = text[:MAX_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE)
    return [line.rstrip() for line in text.split("\n", MAX_LINES)[:MAX_LINES]]


def _own_words(lines: list[str]) -> str:
    lines = lines[: _first_cut(lines)]
    return "\n".join(_trim(_without_sign_off(_trim(_without_quotations(lines)))))


def _first_cut(lines: list[str]) -> int:
    """The first line from which on nothing is the sender's: original-message marks, headers, signatures."""
    return next((i for i in range(len(lines)) if _cuts(lines, i)), len(lines))


def _cuts(lines: list[str], i: int) -> bool:
    line = lines[i]
    if not line or len(line) > MAX_LINE or _is_quoted(line):
        return False
    return (
        _is_original_mark(lines, i)
        or bool(_header_block_end(lines, i))
        or _is_mobile_signature(line)
        or _opens_signature(lines, i)
    )


def _is_original_mark(lines: list[str], i: int) -> bool:
    line = lines[i].strip()
    bare = line.strip("-_=*+#~<> ").casefold()
    if bare in ORIGINAL_MESSAGE and (bare.endswith(":") or line[:2] in ("--", "__", "==", "**", "~~", "++")):
        return True
    marked = _MARKED.match(line)
    return bool(marked and any(_header_block_end(lines, at) for at in range(i + 1, min(i + 4, len(lines)))))


def _is_mobile_signature(line: str) -> bool:
    return len(line) <= 120 and bool(MOBILE_SIGNATURE.match(line)) and _role(line) is None


def _opens_signature(lines: list[str], i: int) -> bool:
    """`-- ` by the standard, or a long rule over a short foot; both only near the end of what was typed."""
    is_dashes = lines[i].strip() == "--"
    if not is_dashes and not _FOOTER_RULE.match(lines[i]):
        return False
    foot = 0
    for line in lines[i + 1 :]:
        if _is_quoted(line) or _header_label(line) or (line.rstrip().endswith((":", "：")) and _VERB_LAST.search(line)):
            break
        foot += bool(line)
        if foot > SIGNATURE_LINES:
            return False
    return foot > 0 or is_dashes


def _header_label(line: str) -> str:
    """The text before the first colon, as a bare word: `*De :*` gives `de`."""
    head, colon, _ = line[:60].replace("：", ":").partition(":")
    return head.strip(" *_|>\t").casefold() if colon else ""


def _role(line: str) -> str | None:
    return LABELS.get(_header_label(line))


def _header_block_end(lines: list[str], i: int) -> int:
    """The line after a block of three mail headers (or From and Sent with an address) opening at `i`; 0 if none."""
    if _role(lines[i]) is None:
        return 0
    roles: set[str] = set()
    strangers, end, with_address = 0, 0, False
    for at in range(i, min(i + 16, len(lines))):
        role = _role(lines[at])
        with_address = with_address or "@" in lines[at]
        if role:
            roles.add(role)
            strangers, end = 0, at + 1
        else:
            strangers += 1
            if strangers > 2:
                break
    is_block = "from" in roles and (len(roles) >= 3 or ("sent" in roles and with_address))
    return end if is_block else 0


def _is_quoted(line: str) -> bool:
    return bool(_QUOTED.match(line))


def _without_quotations(lines: list[str]) -> list[str]:
    """Drop attributions and what follows them, but keep quotations that the sender answered in between."""
    last_own = _last_own_line(lines)
    kept: list[str] = []
    at = 0
    while at < len(lines):
        end = _attribution_end(lines, at)
        if not end:
            kept.append(lines[at])
            at += 1
            continue
        if end > last_own or not _BRACKETED.match(_next_text(lines, end)):
            break
        at = end if any(kept) else _after_quotation(lines, end)
    return kept


def _last_own_line(lines: list[str]) -> int:
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        if line and not _is_quoted(line) and not _RULE.match(line) and not _is_wrapped_quotation(lines, at):
            return at
    return -1


def _is_wrapped_quotation(lines: list[str], at: int) -> bool:
    """The overhang of a long quoted line that some mail server broke without a new `>`."""
    above = lines[at - 1] if at else ""
    below = lines[at + 1] if at + 1 < len(lines) else ""
    return _is_quoted(above) and _is_quoted(below) and (len(above) >= 60 or " " not in lines[at])


def _next_text(lines: list[str], at: int) -> str:
    return next((line for line in lines[at : at + 4] if line), "")


def _after_quotation(lines: list[str], at: int) -> int:
    while at < len(lines) and (not lines[at] or _is_quoted(lines[at]) or _is_wrapped_quotation(lines, at)):
        at += 1
    return at


def _attribution_end(lines: list[str], at: int) -> int:
    """The line after "On … wrote:" when one opens at `at`, else 0. Clients break it over up to four lines."""
    if not lines[at] or _is_quoted(lines[at]):
        return 0
    joined = ""
    for end in range(at + 1, min(at + ATTRIBUTION_LINES, len(lines)) + 1):
        line = lines[end - 1].strip()
        if not line or len(joined) + len(line) > MAX_LINE or (end > at + 1 and _begins_attribution(line)):
            return 0
        joined = f"{joined} {line}".strip()
        if _may_end_attribution(line) and _is_attribution(joined, end == at + 1, _is_quoted(_next_text(lines, end))):
            return end
        if end == at + 1 and not _may_open_attribution(line):
            return 0
    return 0


def _may_end_attribution(line: str) -> bool:
    line = line.rstrip("-_* ")
    return line.endswith((":", "：")) or bool(_VERB_LAST.search(line[-40:]) or _DATE_AND_ADDRESS.match(line))


def _may_open_attribution(line: str) -> bool:
    return bool(
        "@" in line or _YEAR.search(line) or _TIME.search(line) or (_OPENER.match(line) and _NUMBERS.search(line))
    )


def _begins_attribution(line: str) -> bool:
    return bool(_OPENER.match(line) and not line[0].isdigit() and len(_NUMBERS.findall(line)) >= 2)


def _is_attribution(joined: str, single_line: bool, quote_follows: bool) -> bool:
    joined = joined.strip("-_* ")
    has_year, has_time = bool(_YEAR.search(joined)), bool(_TIME.search(joined))
    dated = (has_year or has_time) and len(_NUMBERS.findall(joined)) >= 2
    if _DATE_AND_ADDRESS.match(joined) or (dated and has_year and _ADDRESS_LAST.search(joined)):
        return True
    verb_last = bool(_VERB_LAST.search(joined[-40:]))
    if verb_last or _VERB.search(joined):
        if dated and ("@" in joined or verb_last or _OPENER.match(joined) or (has_year and has_time)):
            return True
        if _NAMED_ADDRESS.match(joined) and (verb_last or dated):
            return True
    if quote_follows and single_line:
        return (verb_last and len(joined) < 100) or ("@" in joined and joined.endswith((":", "：")))
    return False


def _without_sign_off(lines: list[str]) -> list[str]:
    """Drop "Regards," and the few short lines under it; never the whole text."""
    for at in range(len(lines) - 1, max(len(lines) - SIGNATURE_LINES, 0), -1):
        line = lines[at]
        if len(line) > 80 or _is_quoted(line):
            return lines
        if line.strip(" ,.!;-*").casefold() in SIGN_OFFS:
            return lines[:at]
    return lines


def _trim(lines: list[str]) -> list[str]:
    """Take blank, quoted and ruled lines off the end, blank and ruled ones off the start."""
    end = len(lines)
    while end and (not lines[end - 1] or _is_quoted(lines[end - 1]) or _RULE.match(lines[end - 1])):
        end -= 1
    start = 0
    while start < end and (not lines[start] or _RULE.match(lines[start])):
        start += 1
    return lines[start:end]


def _inside_forward(lines: list[str]) -> list[str]:
    """The lines below the marks and headers that open a mail in which nothing was typed above them."""
    at = 0
    while at < len(lines):
        past = _header_block_end(lines, at) or _attribution_end(lines, at)
        if past:
            at = past
        elif not lines[at] or _RULE.match(lines[at]) or _is_original_mark(lines, at) or _is_mobile_signature(lines[at]):
            at += 1
        else:
            break
    return lines[at:]
