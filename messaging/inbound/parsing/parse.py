"""Parses one raw mail to a ParsedMail. Runs in the child process; call it directly only on mail you made yourself."""

import email
import re
from email.message import Message
from email.policy import compat32

from messaging.inbound.parsing import addresses
from messaging.inbound.parsing.decoding import clean, decode_words
from messaging.inbound.parsing.header_block import sender_is_clear
from messaging.inbound.parsing.parsed import MAX_HEADER_BYTES, MAX_RAW_BYTES, Attachment, MailRefused, ParsedMail
from messaging.inbound.parsing.parts import Body, read_body, text_charset
from messaging.inbound.rules.automatic import Automatic, classify
from messaging.inbound.rules.decision_words import decision_in
from messaging.inbound.rules.html_text import html_to_text
from messaging.inbound.rules.mail_auth import single_from
from messaging.inbound.rules.reply_text import ReplyText, read_reply
from messaging.inbound.rules.reply_words import REPLY_MARK
from messaging.inbound.rules.unread_parts import invitation, named

_HEADER_END = re.compile(rb"\r?\n\r?\n|\r\r")
_MBOX_LINE = re.compile(rb"^>?From [^\r\n]{0,1000}\r?\n")


def parse_mail(raw: bytes) -> ParsedMail:
    """Raises only MailRefused (over a limit); other faults are noted in `problems`."""
    try:
        return _facts(_message(raw), raw)
    except RecursionError:
        raise MailRefused("The mail's parts are nested too deep.") from None


def attachments_of(raw: bytes) -> list[tuple[str, str, bytes]]:
    """Name, type and content of each attachment, in the order of `ParsedMail.attachments`. Raises MailRefused."""
    body = read_body(_message(raw), contents=True)
    return [(name, kind, data) for (name, kind, _), data in zip(body.attachments, body.contents or (), strict=True)]


def _message(raw: bytes) -> Message:
    if len(raw) > MAX_RAW_BYTES:
        raise MailRefused(f"The mail is larger than {MAX_RAW_BYTES // 1024**2} MB.")
    body = _MBOX_LINE.sub(b"", raw.lstrip(b"\r\n")[:2000], count=1) + raw.lstrip(b"\r\n")[2000:]
    _check_header_size(body)
    return email.message_from_bytes(body, policy=compat32)


def _check_header_size(raw: bytes) -> None:
    end = _HEADER_END.search(raw, 0, MAX_HEADER_BYTES + 8)
    if not end and len(raw) > MAX_HEADER_BYTES:
        raise MailRefused(f"The mail's header is larger than {MAX_HEADER_BYTES // 1024} KiB.")


def _facts(message: Message, raw: bytes) -> ParsedMail:
    headers = _headers(message, text_charset(message))
    body = read_body(message)
    subject = decode_words(_first(headers, "subject"))
    senders = addresses.addresses(_all(headers, "from"))
    own_id, id_problem = addresses.message_id(_all(headers, "message-id"), raw)
    reply = _reply(body, answers=bool(_all(headers, "in-reply-to", "references")) or bool(REPLY_MARK.match(subject)))
    has_text, kinds = bool(reply.text.strip()), [(name, kind) for name, kind, _ in body.attachments]
    automatic = _automatic(headers, subject, body, message)
    replied_to = addresses.message_ids(_all(headers, "in-reply-to"))
    clear = sender_is_clear(raw)
    return ParsedMail(
        message_id=own_id,
        subject=subject,
        from_addresses=[address for _, address in senders],
        from_name=senders[0][0] if senders else "",
        to_addresses=[a for _, a in addresses.addresses(_all(headers, *addresses.RECIPIENT_HEADERS))],
        date=addresses.date(_first(headers, "date")),
        in_reply_to=replied_to[0] if replied_to else "",
        references=addresses.message_ids(_all(headers, "references")),
        headers=headers,
        text=body.text if body.text.strip() else body.page,
        visible_text=reply.text if has_text else named(invitation(body.calendar), kinds),
        cut=reply.cut,
        single_from=(clear and single_from(_unfolded(message))) or "",
        visible_is_own=reply.is_own and has_text,
        automatic_kind=automatic.kind,
        automatic_reason=automatic.reason,
        automatic_doubt=automatic.doubt,
        attachments=[Attachment(*each) for each in body.attachments],
        problems=[
            *filter(None, [id_problem, "" if clear else "sender not clear from the header"]),
            *_header_problems(headers, message),
            *body.problems,
        ],
    )


def _headers(message: Message, charset: str | None) -> list[tuple[str, str]]:
    return [
        (clean(str(name))[:200], " ".join(clean(_plain(value), charset).split())) for name, value in message.raw_items()
    ]


def _unfolded(message: Message) -> list[tuple[str, str]]:
    """The headers unchanged, only with folded lines joined: cleaning could turn a suspicious address into a good one."""
    return [(str(name), re.sub(r"\r?\n(?=[ \t])", "", str(value))) for name, value in message.raw_items()]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def _all(headers: list[tuple[str, str]], *names: str) -> list[str]:
    return [value for name, value in headers if name.lower() in names]


def _first(headers: list[tuple[str, str]], name: str) -> str:
    return next(iter(_all(headers, name)), "")


def _reply(body: Body, *, answers: bool) -> ReplyText:
    """The reply from the plain text. If that is a decision and the HTML does not say the same, the reply from the HTML:
    the sender saw the HTML, and in the plain text a mail program does not mark struck-out words."""
    plain = read_reply(body.text, answers=answers)
    decision = decision_in(plain.text)
    if not body.html or (body.text.strip() and not decision):
        return plain
    page = read_reply(body.page, answers=answers)
    return plain if decision and decision_in(page.text) == decision else page


def _automatic(headers: list[tuple[str, str]], subject: str, body: Body, message: Message) -> Automatic:
    start = body.text[:4_000] or html_to_text(body.html[:20_000])
    sender = decode_words(_first(headers, "from"))
    content_type = _first(headers, "content-type") or message.get_content_type()
    return classify(headers, subject, sender, start, content_type, body.parts)


def _header_problems(headers: list[tuple[str, str]], message: Message) -> list[str]:
    problems = [f"broken structure: {type(defect).__name__}" for defect in message.defects[:5]]
    if len(_all(headers, "from")) != 1:
        problems.append("no From header" if not _all(headers, "from") else "more than one From header")
    if _first(headers, "date") and addresses.date(_first(headers, "date")) is None:
        problems.append("unreadable date")
    return problems
