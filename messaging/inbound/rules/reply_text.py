"""The newly written part of a reply: what the sender typed, without the quotation and the signature.

Everything works line by line with a bounded look-ahead, so the cost is linear in the length of the text.
"""

import re
from dataclasses import dataclass

from messaging.inbound.rules.html_text import html_to_text
from messaging.inbound.rules.reply_words import (
    DATE_LABELS,
    LABELS,
    MOBILE_SIGNATURE,
    OPENERS,
    ORIGINAL_MESSAGE,
    SIGN_OFFS,
    WROTE,
    either,
)

MAX_CHARACTERS = 1_000_000
MAX_LINES = 5_000  # nobody types more; the rest is quotation or noise
MAX_LINE = 300  # longer lines are text, never a header of a quotation
ATTRIBUTION_LINES = 6
SIGNATURE_LINES = 15

_INVISIBLE = dict.fromkeys(
    [0, 0x00AD, 0x1427, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)]
) | {0x00A0: " ", 0x2007: " ", 0x202F: " ", 0x2028: "\n", 0x2029: "\n", 0x0085: "\n"}
_QUOTED = re.compile(r"^\s{0,8}(?:>|\w{1,10}>(?=\s|>|$))")
_BRACKETED = re.compile(r"^\s{0,8}>")
_RULE = re.compile(r"^\s*[-_=*#~+—–─]{2,}\s*$")
_FOOTER_RULE = re.compile(r"^\s{0,3}_{2,}\s*$")
_MARKED = re.compile(r"^[\s>*]{0,8}[-_=*]{2,}\s?(\S.{1,60}?)\s?[-_=*]{2,}\s*$")
# A mark with the first header behind it: "----- Forwarded message ----- From: Ana <ana@example.com>".
_MARK_AND_HEADER = re.compile(r"^[\s>*]{0,8}[-_=*]{3,}\s?[^-_=*\s].{1,60}?\s?[-_=*]{3,}\s+(?P<rest>\S.*@.*)$")
# GroupWise: ">>> Ana Roy <ana@example.com> 11/02/26 3:55 PM >>>".
_BETWEEN_BRACKETS = re.compile(r"^\s{0,3}\\?>>> .{1,120}\d.{1,20}\d.{0,10} >>>$")
_VERB = re.compile(rf"(?:^|[\s>\"'”»)\]，,、])(?P<verb>{either(WROTE)})(?=[\s:：]|$)", re.IGNORECASE)
_VERB_LAST = re.compile(rf"{either(WROTE)}\s*[:：]?$", re.IGNORECASE)
_OPENER = re.compile(rf"^(?:{either(OPENERS)}[\s.,،]|\d)", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d{1,2}[./]\d{1,2}[./]\d{2}(?!\d)")
_TIME = re.compile(r"(?<!\d)\d{1,2}\s?[:.h時点时]\s?\d{2}(?!\d)|\d\s?[ap]\.?m\b", re.IGNORECASE)
_NUMBERS = re.compile(r"\d+")
_ADDRESS_LAST = re.compile(r"<[^<>\s]{1,200}@[^<>\s]{1,200}(?:<[^<>]{0,200}>)?>\)?\s*[:：]$")
_ISO_DATE = r"(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}"
_DATE_AND_ADDRESS = re.compile(
    rf"^(?:\w{{2,4}},? )?{_ISO_DATE}[T ,][^<>\[\]]{{0,80}}[<(\[] ?(?:mailto:)?[^<>\s]{{1,120}}@[^<>\s]{{1,120}}[>)\]]\s*[:：]?$"
    rf"|^[^<>:]{{0,60}}<[^<>\s]{{1,120}}@[^<>\s]{{1,120}}>,? (?:\w{{2,4}},? )?{_ISO_DATE}[^<>]{{0,40}}[:：]?$"
)
# The second half of an attribution that was broken within its address.
_REST_OF_ADDRESS = re.compile(r"^[^<>\s]{1,120}@[^<>\s]{1,120}>$")
_ADDRESS_ALONE = re.compile(r"^[<(\[]?[^<>()\[\]\s]{1,120}@[^<>()\[\]\s]{1,120}[>)\]]?\s")
_ISO_DATE_FIRST = re.compile(rf"^(?:\w{{2,4}},? )?{_ISO_DATE}[T ,]")
_CITES = re.compile(r"^[\"'“”„«‚‘「『]")
# "On 3 May you wrote:" is a sentence of the sender about an earlier mail.
_TOLD = re.compile(
    r"\b(?:you|we|i|he|she|they|(?:your|our|my|the|his|her|their)(?: \w+){1,3}) (?:wrote|writes|ha(?:s|ve) written)"
    r"|\bschrieb(?:en|st)? (?:sie|wir|ich|du|er|uns|mir|ihr|unser|mein)\w*\b|\b(?:sie|wir|ich|ihr\w*|unser\w*) .{0,30}schrieb"
    r"|\b(?:vous (?:avez|nous avez)|nous avons|j['’]ai|votre \w+ (?:nous )?a) [ée]crit",
    re.IGNORECASE,
)
_POSTSCRIPT = re.compile(
    r"^\W{0,3}(?:p\.? ?(?:p\.? ?)?s\.?|n\.? ?b\.?|post ?script(?:um)?|з\.? ?ы\.?|п\.? ?с\.?|追伸|追記|附言|又及|추신)"
    r"(?:\s*[:：.,\-–—)]|\s|$)",
    re.IGNORECASE,
)
# Sentences that stand in footers and are not the sender's words of today.
_FOOTER = re.compile(
    r"confidential|privileged|intended (?:only |solely )?for|disclaimer|unsubscribe|mailing list|virus|please consider the"
    r"|vertraulich|confidentiel|confidencial|riservat|vertrouwelijk|ausdrucken|environment|registered (?:in|office)"
    r"|gesch[äa]ftsf[üu]hr|handelsregister|amtsgericht|https?://|www\.|@",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"confidential|privileged|disclaimer|vertraulich|confidentiel|confidencia|riservat|vertrouwelijk|poufn|конфиденциальн",
    re.IGNORECASE,
)
_LIST_FOOTER = re.compile(r"@|https?://|www\.|mailing list|unsubscribe|list\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*$")
PROSE_WORDS = 5
ANSWERS_LOOKED_FOR = 200
_MARK = re.compile(r"^[<>\s]{0,4}[-_=*+~]{2}")
_NAMED_ADDRESS = re.compile(r"^[^<>:]{1,80}?\s?[<(\[]\s?[^<>\s]{1,200}@[^<>\s]{1,200}\s?[>)\]]")


@dataclass(frozen=True)
class ReplyText:
    text: str
    is_own: bool  # False: nothing was typed, the text is that of a forwarded or quoted mail
    cut: str = ""  # what was left out, in its order: quotations, signature


def visible_reply(text: str) -> str:
    """The text that a person reads as the answer. For a mail that only forwards another, the forwarded text."""
    return read_reply(text).text


def visible_reply_html(html: str) -> str:
    return read_reply(html_to_text(html)).text


def read_reply(text: str, *, answers: bool = True) -> ReplyText:
    """`answers`: the mail answers another one, so a quotation at its end is that other mail even if no line says so."""
    lines = _clean_lines(text)
    own = _own_words(lines, answers)
    if own:
        return ReplyText("\n".join(own), True, _left_out(lines, own))
    inside = _own_words(_inside_forward(lines), answers)
    return ReplyText("\n".join(inside), False, _left_out(lines, inside))


def _left_out(lines: list[str], kept: list[str]) -> str:
    """The lines that are not among those kept, which are in the same order."""
    left: list[str] = []
    at = 0
    for line in lines:
        if at < len(kept) and line == kept[at]:
            at += 1
        else:
            left.append(line)
    return "\n".join(left).strip("\n")


def _clean_lines(text: str) -> list[str]:
    text = text[:MAX_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE)
    return [line.rstrip() for line in text.split("\n", MAX_LINES)[:MAX_LINES]]


def _own_words(lines: list[str], answers: bool) -> list[str]:
    own = _without_quotations(lines[: _first_cut(lines)])
    return _trim(_without_sign_off(_trim(own, answers)), answers)


def _first_cut(lines: list[str]) -> int:
    """The first line after which nothing is the sender's own text: original-message marks, headers, signatures."""
    return next((i for i in range(len(lines)) if _cuts(lines, i)), len(lines))


def _cuts(lines: list[str], i: int) -> bool:
    line = lines[i]
    if _is_mark_by_itself(line):
        return True
    if not line or len(line) > MAX_LINE or _is_quoted(line):
        return False
    if _is_original_mark(lines, i) or _header_block_end(lines, i):
        return not _is_answered(lines, i)
    return _is_mobile_signature(line) or _opens_signature(lines, i)


def _is_answered(lines: list[str], i: int) -> bool:
    """Whether the sender wrote between the bracketed lines below a mark or a header block."""
    end = _mark_end(lines, i)
    return bool(_BRACKETED.match(_next_text(lines, end))) and any(
        line and not _is_quoted(line) and _is_prose(line) for line in lines[end : end + ANSWERS_LOOKED_FOR]
    )


def _mark_end(lines: list[str], at: int) -> int:
    """The line after the marks and header blocks that open a quotation at `at`; 0 if none does."""
    end = 0
    for _ in range(2):
        if at >= len(lines):
            break
        found = _header_block_end(lines, at, marked=end > 0) or (at + 1) * _is_original_mark(lines, at)
        if not found:
            break
        end = found
        at = next((k for k in range(found, min(found + 3, len(lines))) if lines[k]), found)
    return end


def _is_original_mark(lines: list[str], i: int) -> bool:
    line = lines[i].strip()
    bare = line.strip("-_=*+#~<> ").casefold()
    if bare in ORIGINAL_MESSAGE and (bare.endswith(":") or _MARK.match(line)):
        return True
    marked = _MARKED.match(line)
    return bool(marked and any(_header_block_end(lines, at) for at in range(i + 1, min(i + 4, len(lines)))))


def _is_mark_by_itself(line: str) -> bool:
    """One line that names the quoted mail in full, in a form that nobody types."""
    if _BETWEEN_BRACKETS.match(line):
        return bool(_TIME.search(line))
    marked = _MARK_AND_HEADER.match(line[:MAX_LINE])
    return bool(marked and _role(marked["rest"]) == "from")


def _is_mobile_signature(line: str) -> bool:
    return len(line) <= 120 and bool(MOBILE_SIGNATURE.match(line)) and _role(line) is None


def _opens_signature(lines: list[str], i: int) -> bool:
    """`--` by the standard, or a long rule above the footer of a list; both only near the end of the typed text. Points
    between several `--`, and sentences below a rule, are the sender's own."""
    is_dashes = lines[i].strip() == "--"
    if not is_dashes and not _FOOTER_RULE.match(lines[i]):
        return False
    foot: list[str] = []
    for at in range(i + 1, len(lines)):
        line = lines[at]
        if (
            _is_quoted(line)
            or _header_label(line) in LABELS
            or _attribution_end(lines, at)
            or _is_original_mark(lines, at)
        ):
            break
        foot.append(line)
        if sum(map(bool, foot)) > SIGNATURE_LINES:
            return False
    legal = next((k for k, line in enumerate(foot) if _LEGAL.search(line)), len(foot))
    while 0 < legal < len(foot) and foot[legal - 1]:
        legal -= 1
    if any(_is_prose(line) for line in foot[:legal]) or any(_POSTSCRIPT.match(line) for line in foot):
        return False
    if is_dashes:
        return "--" not in (line.strip() for line in foot) and not _is_second_dashes(lines, i)
    return any(_LIST_FOOTER.search(line) for line in foot)


def _is_second_dashes(lines: list[str], i: int) -> bool:
    return any(line.strip() == "--" for line in lines[max(i - ANSWERS_LOOKED_FOR, 0) : i])


def _is_prose(line: str) -> bool:
    """A sentence, as somebody writes it; not a line of a signature or of a legal footer."""
    if _is_quoted(line) or _FOOTER.search(line):
        return False
    long = len(line.split()) >= PROSE_WORDS or (
        not line.isascii() and len(line) >= 3 * PROSE_WORDS and " " not in line[:12]
    )
    return long and (bool(_SENTENCE_END.search(line)) or len(line.split()) >= 2 * PROSE_WORDS)


def _header_label(line: str) -> str:
    """The text before the first colon, as a bare word: `*De :*` gives `de`."""
    head, colon, _ = line[:60].replace("：", ":").partition(":")
    return head.strip(" *_|>\t").casefold() if colon else ""


def _role(line: str) -> str | None:
    return LABELS.get(_header_label(line))


def _header_block_end(lines: list[str], i: int, *, marked: bool = False) -> int:
    """The line after a block of three mail headers (or From and Sent with an address) opening at `i`; 0 if none. Something in
    it must be a mail's alone: an address, a time of day or "Sent:". Below a mark ("Forwarded message") any three will do."""
    if _role(lines[i]) is None:
        return 0
    roles: set[str] = set()
    strangers, end, with_address, is_mail = 0, 0, marked, marked
    for at in range(i, min(i + 16, len(lines))):
        role = _role(lines[at])
        with_address = with_address or ("@" in lines[at] and (role == "from" or at == i + 1))
        if role:
            roles.add(role)
            marked = marked or (role == "sent" and _header_label(lines[at]) not in DATE_LABELS)
            is_mail = is_mail or marked or "@" in lines[at] or bool(role == "sent" and _TIME.search(lines[at]))
            strangers, end = 0, at + 1
        else:
            strangers += 1
            if strangers > 2:
                break
    # A list of places or dates may have the same labels: "From: Hamburg, To: Oslo, Date: 3 May".
    is_block = "from" in roles and (
        (("subject" in roles or marked) and len(roles) >= 3 and is_mail) or ("sent" in roles and with_address)
    )
    return end if is_block else 0


def _is_quoted(line: str) -> bool:
    return bool(_QUOTED.match(line))


def _without_quotations(lines: list[str]) -> list[str]:
    """Drop attributions and the text after them, but keep quotations that the sender answered in between."""
    last_own = _last_own_line(lines)
    kept: list[str] = []
    at = 0
    while at < len(lines):
        end = _attribution_end(lines, at) or _mark_end(lines, at)
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
    """The rest of a long quoted line that a mail server broke without a new `>`."""
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
    """The line after "On … wrote:" when one opens at `at`, else 0. Clients break it over up to six lines, and some leave one
    of them blank."""
    if (
        not lines[at]
        or _is_quoted(lines[at])
        or not (_may_end_attribution(lines[at]) or _may_open_attribution(lines[at]))
    ):
        return 0
    joined, blank = "", 0
    for end in range(at + 1, min(at + ATTRIBUTION_LINES, len(lines)) + 1):
        line = lines[end - 1].strip()
        if not line and joined and not blank and _goes_on(joined, _next_text(lines, end)):
            blank = end
            continue
        if not line or len(joined) + len(line) > MAX_LINE or (end > at + 1 and _begins_attribution(line)):
            return 0
        joined = f"{joined} {line}".strip()
        if _may_end_attribution(line) and _is_attribution(joined, end == at + 1, _next_text(lines, end)):
            return end
    return 0


def _goes_on(joined: str, following: str) -> bool:
    """Whether an attribution goes on below a blank line: the address or the verb is still missing, and it follows."""
    opens = _OPENER.match(joined) and len(_NUMBERS.findall(joined)) >= 2 and not _SENTENCE_END.search(joined)
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
        "@" in line or _YEAR.search(line) or _TIME.search(line) or (_OPENER.match(line) and _NUMBERS.search(line))
    )


def _begins_attribution(line: str) -> bool:
    return bool(_OPENER.match(line) and not line[0].isdigit() and len(_NUMBERS.findall(line)) >= 2)


def _is_attribution(joined: str, single_line: bool, following: str) -> bool:
    joined = joined.strip("-_* ")
    has_year, has_time = bool(_YEAR.search(joined)), bool(_TIME.search(joined))
    dated = (has_year or has_time) and len(_NUMBERS.findall(joined)) >= 2
    quote_follows = _is_quoted(following)
    if _DATE_AND_ADDRESS.match(joined) or (dated and has_year and _ADDRESS_LAST.search(joined)):
        return True
    if not quote_follows and "@" not in joined and (_TOLD.search(joined) or _CITES.match(following)):
        return False
    verb_last = bool(_VERB_LAST.search(joined[-40:]))
    if verb_last or _VERB.search(joined):
        sure = "@" in joined or (has_year and has_time) or quote_follows
        if dated and (sure or (has_time and _OPENER.match(joined) and verb_last)):
            return True
        if _NAMED_ADDRESS.match(joined) and (verb_last or dated):
            return True
        if verb_last and _ADDRESS_ALONE.match(joined) and len(joined.split()) <= 3:
            return True
    if quote_follows and single_line:
        by_date = bool(_ISO_DATE_FIRST.match(joined)) and joined.endswith((":", "："))
        return by_date or (verb_last and len(joined) < 100) or ("@" in joined and joined.endswith((":", "：")))
    return False


def _without_sign_off(lines: list[str]) -> list[str]:
    """Drop "Regards," and the few short lines under it, but not a postscript below; never the whole text."""
    for at in range(len(lines) - 1, max(len(lines) - SIGNATURE_LINES, 0), -1):
        line = lines[at]
        if line.strip(" ,.!;-*").casefold() in SIGN_OFFS:
            more = next((k for k in range(at + 1, len(lines)) if _goes_beyond_signature(lines[k])), len(lines))
            return lines[:at] + lines[more:]
        if _is_quoted(line):
            return lines
    return lines


def _goes_beyond_signature(line: str) -> bool:
    return bool(_POSTSCRIPT.match(line)) or _is_prose(line) or _is_quoted(line)


def _trim(lines: list[str], answers: bool = False) -> list[str]:
    """Take blank and ruled lines off the start and the end; off the end also a quotation, if the mail `answers` another one
    and no own line introduces it ("your portal says:")."""
    end = len(lines)
    while end and (not lines[end - 1] or _is_quoted(lines[end - 1]) or _RULE.match(lines[end - 1])):
        end -= 1
    last = len(lines)
    while last > end and (not lines[last - 1] or _RULE.match(lines[last - 1])):
        last -= 1
    introduced = end and lines[end - 1].rstrip().endswith((":", "："))
    if last > end and (introduced or not answers):
        end = last
    start = 0
    while start < end and (not lines[start] or _RULE.match(lines[start])):
        start += 1
    return lines[start:end]


def _inside_forward(lines: list[str]) -> list[str]:
    """The lines below the marks and headers that open a mail in which nothing was typed above them."""
    at = 0
    while at < len(lines):
        past = _header_block_end(lines, at, marked=True) or _attribution_end(lines, at)
        if past:
            at = past
        elif not lines[at] or _RULE.match(lines[at]) or _is_original_mark(lines, at) or _is_mobile_signature(lines[at]):
            at += 1
        else:
            break
    return lines[at:]
