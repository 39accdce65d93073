"""Whether a person wrote a mail. Automatic mail is kept, never answered and never acted upon (RFC 3834, 3464, 5965).

A header by which a machine identifies itself is enough. Words in a subject count only at its start, so that a person's
"Re: Out of office" counts as human; words in a body need two signs.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ROBOT_SENDER = re.compile(
    r"(?:^|[<\"\s(])(?:mailer-?daemon|mail-?daemon|mdaemon|post_?master|mail[_-]?(?:administrator|delivery)|mmdf"
    r"|majordomo|bounces?|mail-?router|mail_?gateway|smtp-?gateway|autoreply|auto-reply|autoresponder"
    r"|abuse-report|feedbackloop|fbl|double-?bounce|symantec_antivirus_for_smtp_gateways"
    r"|mail\.?system)(?:[+.-][^@\s<>]*)?@",
    re.IGNORECASE,
)
ROBOT_NAME = re.compile(
    r"(?:mailer-daemon|mail (?:delivery|administrator|system|router)|delivery (?:sub)?system"
    r"|delivery (?:status )?notification|mail ?delivery ?(?:sub)?system|internet mail (?:delivery|service)"
    r"|^\s*\"?(?:postmaster|mail system|mail server)\b|inter\s?scan|mail ?marshal|mail ?foundry"
    r"|complaint feedback|feedback loop)",
    re.IGNORECASE,
)
NOTIFIER = re.compile(
    r"(?:no-?reply|notifications?|sns)@(?:[\w.-]+\.)?(?:sns\.amazonaws|amazonaws|amazonses|sendgrid|mailgun)\.", re.I
)

BOUNCE_SUBJECT = re.compile(
    r"^(?:\[[^\]]{1,40}\]\s*|\*+\s*|(?:re|fwd?|aw|warning|error|notice|rejected)\s?[:-]\s*)?(?:"
    r"undeliver(?:able|ed)|mail (?:system error|delivery (?:fail|problem|error|status|system)|could not|error"
    r"|undeliverable|failure)|(?:mail|message|e-?mail) (?:delivery )?(?:fail(?:ed|ure)|not delivered"
    r"|undeliverable|could not|delivery (?:fail|delayed|status))|returned (?:mail|to sender|due to)"
    r"|delivery (?:status|failure|failed|error|report|problem|notification|has failed|unsuccessful|delayed"
    r"|to the following)|(?:permanent )?failure notice|non[- ]?deliver(?:y|able|ed)|nondeliverable"
    r"|could ?n[o']t (?:be )?(?:send|deliver)|(?:message|e-?mail|mail) (?:status|you sent|rejected|blocked"
    r"|returned)|(?:unknown|invalid) (?:user|recipient|address)|user unknown|bounced? (?:mail|message)"
    r"|rejected (?:mail|message)|dsn:|email delivery failure|mail returned|failed mail|unable to deliver"
    r"|problem delivering|your (?:message|mail|e-?mail) .{0,60}(?:could not|was not|has been (?:rejected"
    r"|delayed)|failed)|could not send message|message undeliverable|delivery of your|not delivered"
    r"|error sending|no such user|unzustellbar|nicht zustellbar|zustell(?:fehler|ung)"
    r"|nachricht (?:konnte )?nicht zugestellt|rückläufer|fehler bei der zustellung|non remis|échec (?:de|d['’])"
    r"|message non|notification d['’]état|avis de non|retour de courrier|courrier non|no se (?:puede|pudo"
    r"|ha podido)|no entregad|correo devuelto|notificación de estado|error de entrega|mensaje (?:no|devuelto)"
    r"|impossibile recapitare|impossibile consegnare il messaggio|mancat[ao] (?:recapito|consegna)"
    r"|notifica (?:sullo|dello)? ?stato|messaggio non|non recapitabile|não (?:foi )?(?:entregue|possível)"
    r"|falha (?:na|no|de) |mensagem (?:não|devolvida)|notificação de (?:status|estado)|onbestelbaar"
    r"|niet (?:bezorgd|afgeleverd|bestelbaar)|kan niet worden|bezorging mislukt|niedostarcz|nie dostarczono"
    r"|zwrot (?:wiadomości|poczty)|ikke levert|kunne ikke leveres|kan ikke leveres|oleverbar"
    r"|kunde inte levereras|ej levererat|toimitus epäonnistui|viestiä ei|nedoručiteln|не (?:доставлен|удалось)"
    r"|недоставленн|сообщение не|ошибка доставки|kézbesít|iletilemedi|teslim edilemedi|系统退信|退信|无法投递"
    r"|未送達|無法傳遞|投递失败|邮件(?:退回|投递)|配信(?:不能|できません|エラー)|配達(?:不能|できません)"
    r"|メール(?:が|を)?(?:配信|送信)?(?:エラー|できません)|送信エラー|反송|반송|전송 실패"
    r")",
    re.IGNORECASE,
)
# No person begins a subject with these words; they need no sign in the body.
SURE_BOUNCE_SUBJECT = re.compile(
    r"^(?:undelivered mail returned|undeliver(?:able|ed)(?: mail| message)?(?::|$)|delivery status notification"
    r"|mail delivery (?:failed|failure|error|system)|returned mail:|failure notice$|delivery notification: delivery"
    r"|mail system error|delivery failure$|non-delivery (?:report|notification))",
    re.IGNORECASE,
)
WARNING_SUBJECT = re.compile(
    r"(?:user unknown|could not (?:send|be delivered)|undelivered|delivery (?:failed|failure)|non-delivery)[!.\s]*",
    re.I,
)
FEEDBACK_SUBJECT = re.compile(
    r"^(?:complaint about message from [\d\[]|(?:e-?mail )?(?:abuse|fbl|spam) (?:feedback )?report"
    r"|e-?mail feedback report|spamtrap\s?hit|spam complaint|\[?arf\b|fbl\b)",
    re.IGNORECASE,
)
REPLY_SUBJECT = re.compile(
    r"^(?:\[[^\]]{1,40}\]\s*)?(?:"
    r"auto(?:matic|mated)?[\s-]?(?:reply|response|answer|respon\w*|antwort)\s*(?:$|[:：\-–—(\[]|to\b|from\b)"
    r"|auto[\s-]?re\s?:|autorespon\w*\s*(?:$|[:：\-–—(])|automatic(?:ally)? (?:generated|sent)"
    r"|out of (?:the )?office|ooo\b|away from (?:the |my )?(?:office|mail|desk|e-?mail)|i am (?:away|out of)"
    r"|on (?:vacation|annual leave)|vacation (?:reply|response|notice|message|auto)|holiday (?:reply|notice)"
    r"|thank you for contacting|automatische? (?:antwort|rückantwort|nachricht|reactie|beantwoording|e-?mail)"
    r"|abwesenheits|abwesend|abwesenheit\s*(?:$|[:\-–])|(?:bin )?nicht im (?:büro|haus)|außer haus"
    r"|urlaubs(?:vertretung|meldung|notiz)|réponse auto|réponse d['’]absence|absence (?:du bureau|:)"
    r"|absent(?:e)? du bureau|message d['’]absence|en congés? (?:du|jusqu|$)|respuesta auto"
    r"|fuera de (?:la )?oficina|(?:mensaje|aviso) de ausencia|ausencia (?:temporal|de la oficina)|risposta auto"
    r"|fuori (?:sede|ufficio)|(?:messaggio|avviso) di assenza|assenza dall|assente dal|resposta auto"
    r"|fora do escrit|(?:mensagem|aviso) de ausência|ausência (?:temporária|do escrit)|automatisch antwoord"
    r"|afwezig|niet aanwezig|buiten kantoor|automatiskt svar|automatisk svar|autosvar|frånvaro|fraværende|fravær"
    r"|automaattinen vastaus|poissa toimist|odpowiedź automatyczna|automatyczna odpowiedź|autoodpowied|nieobecn"
    r"|автоматический ответ|автоответ|отсутствую|я отсутствую|автоматична відповідь|нет на месте"
    r"|automatická odpov|nepřítom|mimo kancelář|automatikus válasz|házon kívül|otomatik yanıt|ofis dışında"
    r"|răspuns automat|αυτόματη απάντηση|εκτός γραφείου|自动(?:回复|答复)|自動(?:回覆|回复|応答|答复)"
    r"|不在(?:通知|連絡|のお知らせ)|자동 ?(?:회신|응답)|부재중|trả lời tự động|balasan otomatis|מענה אוטומטי"
    r"|رد تلقائي"
    r")",
    re.IGNORECASE,
)
CALENDAR_SUBJECT = re.compile(
    r"^(?:accepted|tentative(?:ly accepted)?|new time proposed|zugesagt|mit vorbehalt|accepté|provisoire"
    r"|aceptad[oa]|accettato|aceit[oe]|geaccepteerd)\s?:\s",
    re.IGNORECASE,
)
# A person may write these words too ("Declined: my card"): the mail must show that it is about a meeting or a mail.
CANCEL_OR_READ_SUBJECT = re.compile(
    r"^(?:declined|cancel(?:l)?ed(?: event)?|abgelehnt|abgesagt|refusé|rechazad[oa]|rifiutato|recusado|afgewezen"
    r"|read|not read|gelesen|ungelesen|lu|leído|letto"
    r"|lida?|gelezen|read receipt|return receipt|lesebestätigung)\s?(?::\s|\()",
    re.IGNORECASE,
)
MEETING_OR_RECEIPT_BODY = re.compile(
    r"invitation|^\W*when:|has (?:declined|accepted)|your message\b.{0,200}\b(?:was (?:read|displayed|deleted)"
    r"|is read)|(?:wurde|nachricht).{0,120}gelesen"
    r"|einladung|^\W*wann:|return receipt",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)

UNDELIVERED_BODY = re.compile(
    r"could not (?:be )?deliver|couldn['’]t be delivered|cannot be delivered|can(?:no|['’])t deliver"
    r"|was not delivered|not be(?:en)? delivered|unable to deliver|undeliverable|delivery (?:has )?fail"
    r"|failed to deliver|failed recipient|returned to sender|non-delivery report|(?:permanent|fatal) errors?"
    r"|following address(?:es)? (?:had|failed)|did not reach|wasn['’]t delivered|bounced|user unknown"
    r"|unknown user|mailbox (?:is )?(?:full|unavailable|not found)|no such (?:user|recipient|address)"
    r"|配信(?:でき|不能)|送信でき|届けでき|konnte nicht zugestellt|nicht zustellen|n['’]a pas pu être"
    r"|no se (?:ha )?p(?:udo|odido) entregar|non è stato possibile|не (?:доставлен|может быть)"
    r"|address(?:es)? (?:is|are|was) (?:invalid|unknown)",
    re.IGNORECASE,
)
TECHNICAL_BODY = re.compile(
    r"(?:\b[45]\d\d[ -]#?|#|status: ?|\()[45]\.[0-7]\.\d{1,3}\b|\b(?:421|45[0-2]|55[0-4])[ -](?:[<#]|\w+ (?:user"
    r"|unknown|mailbox|recipient|not|rejected|address|access))"
    r"|\bsmtp\b|remote host said|transcript of session|original message (?:follows|header|was received)"
    r"|following recipient|do not resend|mail(?:er)?[- ]daemon"
    r"|(?:user|host|mailbox) unknown|unknown user|mailbox (?:is )?(?:full|unavailable)|failed recipient"
    r"|final-recipient|reporting-mta|original-recipient"
    r"|non-delivery report|returned message|message headers? follow|^\s*-{3,}.{0,60}(?:header|original|returned)"
    r"|received: (?:from|by) "
    r"|follow(?:s|ing).{0,40}(?:original|returned) message|message-id:",
    re.IGNORECASE | re.MULTILINE,
)
NOTICE_BODY = re.compile(
    r"\\?\"(?:notificationType|eventType)\\?\"\s{0,3}:\s{0,3}\\?\"(Bounce|Complaint|Delivery|DeliveryDelay"
    r"|Reject|Send)",
    re.IGNORECASE,
)
FEEDBACK_BODY = re.compile(
    r"^feedback-type:|this is an? (?:e-?mail )?abuse report|^x-hmxmr", re.IGNORECASE | re.MULTILINE
)
AUTO_BODY = re.compile(
    r"^\W{0,5}(?:this is an automat(?:ic|ed|ically)|i am (?:currently )?(?:out of (?:the )?office|on (?:vacation"
    r"|leave|annual leave))|dies ist eine automatische|ceci est un(?:e)? (?:message|réponse) automatique"
    r"|este es un mensaje automático|questo è un messaggio automatico)",
    re.IGNORECASE,
)

Kind = Literal["human", "bounce", "auto_reply", "feedback_loop", "list"]
BODY_LOOKED_AT = 4_000
SUBJECT_LOOKED_AT = 300
COMMENT = re.compile(r"\([^()]*\)")
OWN_NAMES = (
    "x-autoreply", "x-autorespond", "x-autoresponder", "x-autogenerated", "x-auto-reply-from", "x-mail-autoreply",
    "x-ebay-mailtracker", "x-facebook-notify", "x-vacation",
)  # fmt: skip
DENIALS = ("no", "false", "0")
TELLING_PRECEDENCE = ("bulk", "junk", "list", "auto-reply", "autoreply")


@dataclass(frozen=True)
class Automatic:
    kind: Kind
    reason: str

    @property
    def is_human(self) -> bool:
        return self.kind == "human"


HUMAN = Automatic("human", "")


def classify(
    headers: Sequence[tuple[str, str]], subject: str, from_: str, body_start: str, content_type: str
) -> Automatic:
    """Takes `subject` and `from_` decoded and `content_type` with its parameters; the first certain sign decides."""
    mail = _Mail(headers, subject, from_, body_start, content_type)
    for look in (_report, _feedback, _bounce, _own_statement, _subject, _envelope, _body, _list):
        found = look(mail)
        if found:
            return found
    return HUMAN


class _Mail:
    """The parts of a mail that the rules read, cut to a size that limits the cost."""

    def __init__(
        self, headers: Sequence[tuple[str, str]], subject: str, from_: str, body: str, content_type: str
    ) -> None:
        self.fields: dict[str, list[str]] = {}
        for name, value in headers:
            self.fields.setdefault(name.strip().lower(), []).append(value.strip()[:SUBJECT_LOOKED_AT].lower())
        self.subject = " ".join(subject[:SUBJECT_LOOKED_AT].split())
        self.sender = from_[:SUBJECT_LOOKED_AT]
        self.body = body[:BODY_LOOKED_AT]
        self.content_type = content_type[:SUBJECT_LOOKED_AT].lower().replace('"', "")

    def get(self, name: str) -> str:
        """The topmost header, written by the last server that handled the mail."""
        return next(iter(self.fields.get(name, [])), "")

    def all(self, *names: str) -> list[str]:
        """All values under these names: a "no" must not hide a value below it."""
        return [value for name in names for value in self.fields.get(name, [])]

    def has(self, *names: str) -> str:
        return next((name for name in names if name in self.fields), "")

    @property
    def sender_is_robot(self) -> bool:
        return bool(ROBOT_SENDER.search(self.sender + "@" * ("@" not in self.sender)) or ROBOT_NAME.search(self.sender))


def _report(mail: _Mail) -> Automatic | None:
    if not mail.content_type.startswith("multipart/report"):
        return None
    if "feedback-report" in mail.content_type:
        return Automatic("feedback_loop", "Content-Type: multipart/report; feedback-report")
    if "disposition-notification" in mail.content_type:
        return Automatic("auto_reply", "Content-Type: multipart/report; disposition-notification")
    return Automatic("bounce", "Content-Type: multipart/report")


def _feedback(mail: _Mail) -> Automatic | None:
    if mail.has("x-hmxmroriginalrecipient", "feedback-type") or "feedback-report" in mail.content_type:
        return Automatic("feedback_loop", "header of a feedback loop")
    if FEEDBACK_SUBJECT.match(mail.subject) and not mail.has("in-reply-to"):
        return Automatic("feedback_loop", f"subject: {mail.subject[:60]}")
    if FEEDBACK_BODY.search(mail.body[:600]):
        return Automatic("feedback_loop", "body of a feedback report")
    return None


def _bounce(mail: _Mail) -> Automatic | None:
    header = mail.has("x-failed-recipients", "x-mailer-daemon", "x-loop-bounce", "x-actual-recipient-failed")
    if header:
        return Automatic("bounce", f"header {header}")
    if mail.content_type.startswith("message/delivery-status"):
        return Automatic("bounce", "Content-Type: message/delivery-status")
    notice = NOTICE_BODY.search(mail.body)
    if notice and NOTIFIER.search(mail.sender):
        kind: Kind = "feedback_loop" if notice.group(1).lower() == "complaint" else "bounce"
        return Automatic(kind, f"delivery notice: {notice.group(1)}")
    if mail.sender_is_robot:
        vacation = REPLY_SUBJECT.match(mail.subject)
        return Automatic("auto_reply" if vacation else "bounce", f"sender {mail.sender[:80]}")
    return None


def _own_statement(mail: _Mail) -> Automatic | None:
    """Headers by which a program says that it sent the mail."""
    said = (_first_word(value) for value in mail.all("auto-submitted"))
    submitted = next((word for word in said if word not in ("", "no")), "")
    if submitted:
        return Automatic(
            "bounce" if BOUNCE_SUBJECT.match(mail.subject) else "auto_reply", f"Auto-Submitted: {submitted}"
        )
    header = next((name for name in OWN_NAMES if any(value not in DENIALS for value in mail.all(name))), "")
    if header:
        return Automatic("auto_reply", f"header {header}")
    for suppress in mail.all("x-auto-response-suppress"):
        if any(word in suppress for word in ("all", "autoreply", "oof")):
            return Automatic("auto_reply", f"X-Auto-Response-Suppress: {suppress}")
    return _precedence(mail)


def _first_word(value: str) -> str:
    """The first word, without comments and parameters; the whole value if it starts with neither a word nor a comment."""
    bare = COMMENT.sub(" ", value).strip()
    return (re.split(r"[;\s(]", bare)[0] or bare).replace("_", "-")


def _precedence(mail: _Mail) -> Automatic | None:
    said = (value.replace("_", "-") for value in mail.all("precedence", "x-precedence"))
    precedence = next((value for value in said if value in TELLING_PRECEDENCE), "")
    if precedence in ("bulk", "junk") and (BOUNCE_SUBJECT.match(mail.subject) or WARNING_SUBJECT.search(mail.subject)):
        return Automatic("bounce", f"Precedence: {precedence}")
    if precedence in ("auto-reply", "autoreply"):
        return Automatic("auto_reply", f"Precedence: {precedence}")
    return Automatic("list", f"Precedence: {precedence}") if precedence else None


def _subject(mail: _Mail) -> Automatic | None:
    subject = mail.subject
    returned = SURE_BOUNCE_SUBJECT.match(subject) or (BOUNCE_SUBJECT.match(subject) and _looks_returned(mail))
    if returned and not mail.has("in-reply-to"):
        return Automatic("bounce", f"subject: {subject[:60]}")
    if REPLY_SUBJECT.match(subject):
        return Automatic("auto_reply", f"subject: {subject[:60]}")
    if CALENDAR_SUBJECT.match(subject) or "method=reply" in mail.content_type or _is_cancel_or_receipt(mail):
        return Automatic("auto_reply", f"calendar or read answer: {subject[:60]}")
    if re.match(r"auto\s?:\s", subject, re.IGNORECASE) and mail.has("in-reply-to"):
        return Automatic("auto_reply", f"subject: {subject[:60]}")
    return None


def _is_cancel_or_receipt(mail: _Mail) -> bool:
    witness = not mail.body.strip() or "calendar" in mail.content_type or MEETING_OR_RECEIPT_BODY.search(mail.body)
    return bool(CANCEL_OR_READ_SUBJECT.match(mail.subject) and witness)


def _looks_returned(mail: _Mail) -> bool:
    """The subject alone may be a person's complaint about a delivery; the body must read like a mail server's text."""
    return not mail.body.strip() or bool(TECHNICAL_BODY.search(mail.body))


def _envelope(mail: _Mail) -> Automatic | None:
    if mail.get("return-path").replace(" ", "") in ("<>", "<mailer-daemon>") or mail.get("envelope-from") == "<>":
        return Automatic("bounce" if UNDELIVERED_BODY.search(mail.body) else "auto_reply", "Return-Path: <>")
    return None


def _body(mail: _Mail) -> Automatic | None:
    """Bounces of old servers have plain text and an ordinary sender. They need two independent signs at the very start,
    and must not be a reply."""
    start = mail.body[:700]
    if AUTO_BODY.match(start.lstrip()):
        return Automatic("auto_reply", "first line of an automatic reply")
    if mail.has("in-reply-to", "references"):
        return None
    if UNDELIVERED_BODY.search(start) and TECHNICAL_BODY.search(mail.body):
        opens = UNDELIVERED_BODY.search(start[:300]) or WARNING_SUBJECT.search(mail.subject)
        return Automatic("bounce", "text of a delivery failure") if opens else None
    return None


def _list(mail: _Mail) -> Automatic | None:
    header = mail.has("list-id", "list-unsubscribe", "list-post", "mailing-list", "x-mailing-list")
    return Automatic("list", f"header {header}") if header else None
