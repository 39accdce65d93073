"""The newly written part of a reply: what the sender typed, without the quotation and the signature.

Everything works line by line with a bounded look-ahead, so the cost is linear in the length of the text.
"""

import re
from dataclasses import dataclass

from messaging.inbound.rules.attributions import MAX_LINE, SENTENCE_END, attribution_end, is_quoted, next_text
from messaging.inbound.rules.html_text import html_to_text
from messaging.inbound.rules.quoted_headers import TIME_OF_DAY, header_block_end, header_role
from messaging.inbound.rules.reply_words import DEVICE, MOBILE_SIGNATURE, ORIGINAL_MESSAGE, SIGN_OFFS

MAX_CHARACTERS = 1_000_000
MAX_LINES = 5_000  # nobody types more; the rest is quotation or noise
SIGNATURE_LINES = 15

_INVISIBLE = dict.fromkeys(
    [0, 0x00AD, 0x1427, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)]
) | {0x00A0: " ", 0x2007: " ", 0x202F: " ", 0x2028: "\n", 0x2029: "\n", 0x0085: "\n"}
_BRACKETED = re.compile(r"^\s{0,8}>")
_RULE = re.compile(r"^\s*[-_=*#~+—–─]{2,}\s*$")
_FOOTER_RULE = re.compile(r"^\s{0,3}_{2,}\s*$")
_MARK_SIGNS = "-_=*"
LONGEST_MARK = 60  # characters between the signs
# A mark with the first header behind it: "----- Forwarded message ----- From: Ana <ana@example.com>".
_MARK_AND_HEADER = re.compile(r"^[\s>*]{0,8}[-_=*]{3,}\s?[^-_=*\s].{1,60}?\s?[-_=*]{3,}\s+(?P<rest>\S.*@.*)$")
# GroupWise: ">>> Ana Roy <ana@example.com> 11/02/26 3:55 PM >>>".
_BETWEEN_BRACKETS = (">>> ", " >>>")
_POSTSCRIPT = re.compile(
    r"^\W{0,3}(?:(?:p[./]? ?-? ?(?:p\.? ?)?s\.?|n\.? ?b\.?|p\.? ?d\.?|n\.? ?s\.?|post ?script(?:um)?|post data|posdata"
    r"|nota bene|з\.? ?ы\.?|п\.? ?с\.?|υ\.? ?γ\.?|u\.? ?i\.?|נ\.? ?ב\.?|追伸|追記|附言|又及|추신)(?:\s*[:：.,\-–—)]|\s|$)"
    r"|(?:nachtrag|nachsatz|nachtr[äa]glich|erg[äa]nzung|addendum|edit|update|nota|em tempo|obs|dodatek|ملاحظة|ملحوظة)"
    r"\s*[:：!])",
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
_OF_LIST = re.compile(r"mailing list|unsubscribe", re.IGNORECASE)
_IS_SENTENCE = re.compile(r"[.!?。！？][\"'”’)\]]*$|[:;]\s|, ")
_NAMES_DEVICE = re.compile(DEVICE, re.IGNORECASE)
PROSE_WORDS = 5
ANSWERS_LOOKED_FOR = 200
_DASHED_NAME = re.compile(r"^-{1,2} ?[^\W\d_a-z][^\W\d_]{1,20}(?: [^\W\d_a-z][^\W\d_]{1,20}){1,2}$")
_MARK = re.compile(r"^[<>\s]{0,4}[-_=*+~]{2}")


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
    if not line or len(line) > MAX_LINE or is_quoted(line):
        return False
    if _is_original_mark(lines, i) or header_block_end(lines, i):
        return not _is_answered(lines, i)
    if _is_mobile_signature(line):
        return not _has_own_words(_foot(lines, i))
    return _opens_signature(lines, i) or _is_name_above_footer(lines, i)


def _is_answered(lines: list[str], i: int) -> bool:
    """Whether the sender wrote between the bracketed lines below a mark or a header block."""
    end = _mark_end(lines, i)
    return bool(_BRACKETED.match(next_text(lines, end))) and any(
        line and not is_quoted(line) and _is_prose(line) for line in lines[end : end + ANSWERS_LOOKED_FOR]
    )


def _mark_end(lines: list[str], at: int) -> int:
    """The line after the marks and header blocks that open a quotation at `at`; 0 if none does."""
    end = 0
    for _ in range(2):
        if at >= len(lines):
            break
        found = header_block_end(lines, at, marked=end > 0) or (at + 1) * _is_original_mark(lines, at)
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
    return _is_between_signs(line) and any(header_block_end(lines, at) for at in range(i + 1, min(i + 3, len(lines))))


def _is_between_signs(line: str) -> bool:
    """ "---- Any words ----", with two signs or more on each side."""
    text = line.strip("> \t")
    words = text.strip(_MARK_SIGNS)
    before, after = len(text) - len(text.lstrip(_MARK_SIGNS)), len(text) - len(text.rstrip(_MARK_SIGNS))
    return before > 1 and after > 1 and 1 < len(words.strip()) <= LONGEST_MARK


def _is_mark_by_itself(line: str) -> bool:
    """One line that names the quoted mail in full, in a form that nobody types."""
    opening, closing = _BETWEEN_BRACKETS
    if line.endswith(closing) and line.startswith(opening) and len(line) <= MAX_LINE:
        return bool(TIME_OF_DAY.search(line))
    marked = _MARK_AND_HEADER.match(line[:MAX_LINE])
    return bool(marked and header_role(marked["rest"]) == "from")


def _is_mobile_signature(line: str) -> bool:
    """A line that a phone or an app appends. A whole sentence must name a device: "Sent from Lund yesterday." is typed."""
    if len(line) > 120 or header_role(line) is not None or not MOBILE_SIGNATURE.match(line):
        return False
    return not _IS_SENTENCE.search(line) or bool(_NAMES_DEVICE.search(line))


def _opens_signature(lines: list[str], i: int) -> bool:
    """`--` by the standard, or a long rule above the footer of a list; both only near the end of the typed text. Points
    between several `--`, and sentences below a rule, are the sender's own."""
    is_dashes = lines[i].strip() == "--"
    if not is_dashes and not _FOOTER_RULE.match(lines[i]):
        return False
    foot = _foot(lines, i)
    if sum(map(bool, foot)) > SIGNATURE_LINES or _has_own_words(foot):
        return False
    if is_dashes:
        return "--" not in (line.strip() for line in foot) and not _is_second_dashes(lines, i)
    return any(_LIST_FOOTER.search(line) for line in foot)


def _is_name_above_footer(lines: list[str], i: int) -> bool:
    """ "-Sam Lee" alone between the text and the footer of a list."""
    if not _DASHED_NAME.match(lines[i]) or (i and lines[i - 1]):
        return False
    below = next((at for at in range(i + 1, min(i + 4, len(lines))) if lines[at]), i)
    of_list = any(_OF_LIST.search(line) for line in _foot(lines, below))
    return below > i and of_list and _opens_signature(lines, below)


def _foot(lines: list[str], i: int) -> list[str]:
    """The lines below `i`, to the quotation or to one line more than a signature has."""
    foot: list[str] = []
    for at in range(i + 1, len(lines)):
        line = lines[at]
        if is_quoted(line) or header_role(line) or attribution_end(lines, at) or _is_original_mark(lines, at):
            break
        foot.append(line)
        if sum(map(bool, foot)) > SIGNATURE_LINES:
            break
    return foot


def _has_own_words(foot: list[str]) -> bool:
    """Whether the sender wrote on below a signature: a sentence that is no legal footer, or a postscript."""
    legal = next((k for k, line in enumerate(foot) if _LEGAL.search(line)), len(foot))
    while 0 < legal < len(foot) and foot[legal - 1]:
        legal -= 1
    return any(_is_prose(line) and not _is_mobile_signature(line) for line in foot[:legal]) or any(
        _POSTSCRIPT.match(line) for line in foot
    )


def _is_second_dashes(lines: list[str], i: int) -> bool:
    return any(line.strip() == "--" for line in lines[max(i - ANSWERS_LOOKED_FOR, 0) : i])


def _is_prose(line: str) -> bool:
    """A sentence, as somebody writes it; not a line of a signature or of a legal footer."""
    if is_quoted(line) or _FOOTER.search(line):
        return False
    long = len(line.split()) >= PROSE_WORDS or (
        not line.isascii() and len(line) >= 3 * PROSE_WORDS and " " not in line[:12]
    )
    return long and (bool(SENTENCE_END.search(line)) or len(line.split()) >= 2 * PROSE_WORDS)


def _without_quotations(lines: list[str]) -> list[str]:
    """Drop attributions and the text after them, but keep quotations that the sender answered in between."""
    last_own = _last_own_line(lines)
    kept: list[str] = []
    at = 0
    while at < len(lines):
        end = attribution_end(lines, at) or _mark_end(lines, at)
        if not end:
            kept.append(lines[at])
            at += 1
            continue
        if end > last_own or not _BRACKETED.match(next_text(lines, end)):
            break
        at = end if any(kept) else _after_quotation(lines, end)
    return kept


def _last_own_line(lines: list[str]) -> int:
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        if line and not is_quoted(line) and not _RULE.match(line) and not _is_wrapped_quotation(lines, at):
            return at
    return -1


def _is_wrapped_quotation(lines: list[str], at: int) -> bool:
    """The rest of a long quoted line that a mail server broke without a new `>`."""
    above = lines[at - 1] if at else ""
    below = lines[at + 1] if at + 1 < len(lines) else ""
    return is_quoted(above) and is_quoted(below) and (len(above) >= 60 or " " not in lines[at])


def _after_quotation(lines: list[str], at: int) -> int:
    while at < len(lines) and (not lines[at] or is_quoted(lines[at]) or _is_wrapped_quotation(lines, at)):
        at += 1
    return at


def _without_sign_off(lines: list[str]) -> list[str]:
    """Drop "Regards," and the few short lines under it, but not a postscript below; never the whole text."""
    for at in range(len(lines) - 1, max(len(lines) - SIGNATURE_LINES, 0), -1):
        line = lines[at]
        if line.strip(" ,.!;-*").casefold() in SIGN_OFFS:
            more = next((k for k in range(at + 1, len(lines)) if _goes_beyond_signature(lines[k])), len(lines))
            return lines[:at] + lines[more:]
        if is_quoted(line):
            return lines
    return lines


def _goes_beyond_signature(line: str) -> bool:
    return bool(_POSTSCRIPT.match(line)) or _is_prose(line) or is_quoted(line)


def _trim(lines: list[str], answers: bool = False) -> list[str]:
    """Take blank and ruled lines off the start and the end; off the end also a quotation, if the mail `answers` another one
    and no own line introduces it ("your portal says:")."""
    end = len(lines)
    while end and (not lines[end - 1] or is_quoted(lines[end - 1]) or _RULE.match(lines[end - 1])):
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
        past = header_block_end(lines, at, marked=True) or attribution_end(lines, at)
        if past:
            at = past
        elif not lines[at] or _RULE.match(lines[at]) or _is_original_mark(lines, at) or _is_mobile_signature(lines[at]):
            at += 1
        else:
            break
    return lines[at:]
