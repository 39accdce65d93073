"""Words and addresses by which automatic mail shows itself, in the languages of mail programs and mail servers."""

import re
import unicodedata


def plain(text: str) -> str:
    """Without the accents of Latin, Greek and Cyrillic letters."""
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(each for each in apart if not "\u0300" <= each <= "\u036f"))


def words_of(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(plain(pattern), re.IGNORECASE | flags)


DAEMON = re.compile(r"(?:^|[<\"\s(])(?:mailer-?daemon|mail-?daemon|mdaemon)(?:[+.-][^@\s<>]*)?@", re.IGNORECASE)
DAEMON_NAME = re.compile(
    r"^\W*(?:mailer-daemon|(?:internet )?mail deliver(?:y|) ?(?:sub)?system|mail delivery service"
    r"|internet mail (?:delivery|service)|delivery (?:sub)?system|delivery (?:status )?notification)\b",
    re.IGNORECASE,
)
ROBOT_SENDER = re.compile(
    r"(?:^|[<\"\s(])(?:post_?master|mail[_-]?(?:administrator|delivery)|mmdf"
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

BOUNCE_SUBJECT = words_of(
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
)
# No person begins a subject with these words; they need no sign in the body.
SURE_BOUNCE_SUBJECT = words_of(
    r"^(?:undelivered mail returned|undeliver(?:able|ed)(?: mail| message)?(?::|$)|delivery status notification"
    r"|mail delivery (?:failed|failure|error|system)|returned mail:|failure notice$|delivery notification: delivery"
    r"|mail system error|delivery failure$|non-delivery (?:report|notification))",
)
WARNING_SUBJECT = re.compile(
    r"(?:user unknown|could not (?:send|be delivered)|undelivered|delivery (?:failed|failure)|non-delivery)[!.\s]*",
    re.I,
)
ADDRESS_IN_SUBJECT = re.compile(r"complaint about message from [\d\[]", re.IGNORECASE)
FEEDBACK_SUBJECT = words_of(
    r"^(?:complaint about message from [\d\[]|(?:e-?mail )?(?:abuse|fbl|spam) (?:feedback )?report"
    r"|e-?mail feedback report|spamtrap\s?hit|spam complaint|\[?arf\b|fbl\b)",
)
# What stands behind the words of an automatic subject. In "Automatic reply of your portal is wrong" a person goes on.
_END = (
    r"\s*(?:$|[:：\-–—(\[!.,]|\d|(?:to|until|till|through|bis|jusqu\S*|hasta|fino|até|tot|до|do)\b|(?:from|vom|ab|am|du|del"
    r"|dal|van|od|с)\s+\d)"
)
AUTO_SUBJECT = words_of(
    r"^(?:\[[^\]]{1,40}\]\s*)?(?:"
    r"auto(?:matic|mated)?[\s-]?(?:reply|response|answer|respon\w*|antwort)|auto[\s-]?re|autorespon\w*"
    r"|automatic(?:ally)? (?:generated|sent)(?: (?:reply|response|answer|message|e-?mail))?"
    r"|automatische? (?:antwort|rückantwort|nachricht|reactie|beantwoording|e-?mail)|réponse auto\w*|respuesta auto\w*"
    r"|risposta auto\w*|resposta auto\w*|automatisch antwoord|automatiskt svar|automatisk svar|autosvar"
    r"|automaattinen vastaus|odpowiedź automatyczna|automatyczna odpowiedź|autoodpowied\w*|автоматический ответ"
    r"|автоответ\w*|автоматична відповідь|automatická odpov\w*|automatikus válasz|otomatik yanıt|răspuns automat"
    r"|αυτόματη απάντηση|自动(?:回复|答复)|自動(?:回覆|回复|応答|答复|返信)|자동 ?(?:회신|응답)|trả lời tự động"
    r"|balasan otomatis|מענה אוטומטי|رد تلقائي"
    rf"){_END}"
)
AWAY_SUBJECT = words_of(
    r"^(?:\[[^\]]{1,40}\]\s*)?(?:"
    r"out of (?:the )?office(?: (?:auto\S*|reply|message|notification|notice|response|assistant|alert))?|ooo"
    r"|away from (?:the |my )?(?:office|mail|desk|e-?mail)|i am (?:currently )?(?:away|out of (?:the )?office)"
    r"|on (?:vacation|annual leave)|vacation (?:reply|response|notice|message|auto\w*)|holiday (?:reply|notice)"
    r"|thank you for contacting [\w .&-]{1,40}|abwesenheits\w*|abwesend|abwesenheit|(?:bin )?nicht im (?:büro|haus)"
    r"|außer haus|urlaubs(?:vertretung|meldung|notiz)|réponse d['’]absence|absence(?: du bureau)?|absente? du bureau"
    r"|message d['’]absence|en congés?|fuera de (?:la )?oficina|(?:mensaje|aviso) de ausencia"
    r"|ausencia(?: temporal| de la oficina)?|fuori (?:sede|ufficio)|(?:messaggio|avviso) di assenza"
    r"|assenza(?: dall['’]ufficio)?|assente(?: dall['’]ufficio)?|fora do escrit\w*|(?:mensagem|aviso) de ausência"
    r"|ausência(?: temporária| do escrit\w*)?|afwezig\w*|niet aanwezig|buiten kantoor|frånvaro\w*|fraværende"
    r"|fravær\w*|poissa toimist\w*|nieobecn\w*|(?:я )?отсутствую|нет на месте|nepřítom\w*|mimo kancelář"
    r"|házon kívül|ofis dışında|εκτός γραφείου|不在(?:通知|連絡|のお知らせ)|부재중"
    rf"){_END}"
)
# "I am away", said by the person whose program answers. Words about somebody else's absence do not count.
AWAY_BODY = words_of(
    r"\b(?:i am|i['’]m|i will be|i['’]ll be|i am currently)\b.{0,60}\b(?:out of (?:the )?office|on (?:\w+ )?(?:leave|vacation"
    r"|holiday)|away|travell?ing)|\bback (?:in the office )?on\b|\breturn(?:ing)? (?:to the office )?on\b"
    r"|(?:limited|no|intermittent) access to (?:my )?e-?mail"
    r"|\b(?:bin|befinde mich)\b.{0,60}(?:nicht im (?:büro|haus)|abwesend|urlaub|außer haus|nicht erreichbar)"
    r"|wieder (?:für sie )?(?:erreichbar|im büro|im haus)"
    r"|\b(?:je suis|je serai|actuellement)\b.{0,60}(?:absente?|congés?|déplacement)|de retour le"
    r"|\b(?:estoy|estaré|me encuentro)\b.{0,60}(?:fuera de la oficina|ausente|vacaciones)"
    r"|\b(?:sono|sarò)\b.{0,60}(?:fuori (?:sede|ufficio)|assente|ferie|vacanza)"
    r"|\b(?:estou|estarei|encontro-me)\b.{0,60}(?:fora do escritório|ausente|férias)"
    r"|\bik ben\b.{0,60}(?:afwezig|niet (?:op kantoor|aanwezig)|vakantie|vrij)"
    r"|\bjag är\b.{0,60}(?:frånvarande|semester|kontoret|ledig)|\bjeg er\b.{0,60}(?:fraværende|ferie|kontoret|bortreist)"
    r"|\bolen\b.{0,60}(?:poissa|lomalla)|\b(?:jestem|przebywam)\b.{0,60}(?:nieobecn|urlop|poza biurem)"
    r"|\bjsem\b.{0,60}(?:mimo kancelář|dovolen)|в отпуске|отсутствую|szabadságon|ofis dışında|izindeyim"
    r"|不在(?:に|と|で)|休暇(?:中|を)|休假|不在办公室|부재중|휴가"
)
# The first words of an answer that a program gives; they count only under an automatic subject.
RECEIVED_BODY = words_of(
    r"thank(?:s| you) for (?:your|contacting|the) |(?:we|i) (?:have )?received your|your (?:message|e-?mail|request)"
    r" (?:has been|was) received|(?:vielen )?dank für ihre|ihre (?:nachricht|anfrage|e-?mail) (?:ist|wurde)|merci (?:de|pour) "
    r"|gracias por|grazie per|obrigad[oa] p|bedankt voor|tack för|takk for|tak for|dziękuj|спасибо за|děkuj|teşekkür"
    r"|感谢|感謝|お問い合わせ|ありがとうございます|감사"
)
CALENDAR_SUBJECT = words_of(
    r"^(?:accepted|tentative(?:ly accepted)?|new time proposed|zugesagt|mit vorbehalt|accepté|provisoire"
    r"|aceptad[oa]|accettato|aceit[oe]|geaccepteerd)\s?:\s",
)
# A person may write these words too ("Declined: my card"): the mail must show that it is about a meeting or a mail.
DECLINED_OR_READ_SUBJECT = words_of(
    r"^(?:declined|abgelehnt|refusé|rechazad[oa]|rifiutato|recusado|afgewezen"
    r"|read|not read|gelesen|ungelesen|lu|leído|letto"
    r"|lida?|gelezen|read receipt|return receipt|lesebestätigung)\s?(?::\s|\()",
)
MEETING_OR_RECEIPT_BODY = words_of(
    r"(?:accepted|declined) this invitation|^\W*when:|has (?:declined|accepted)"
    r"|your message\b.{0,200}\b(?:was (?:read|displayed|deleted)|is read)|(?:wurde|nachricht).{0,120}gelesen"
    r"|diese einladung (?:angenommen|abgelehnt)|^\W*wann:|return receipt",
    re.MULTILINE | re.DOTALL,
)

UNDELIVERED_BODY = words_of(
    r"could not (?:be )?deliver|couldn['’]t be delivered|cannot be delivered|can(?:no|['’])t deliver"
    r"|was not delivered|not be(?:en)? delivered|unable to deliver|undeliverable|delivery (?:has )?fail"
    r"|failed to deliver|failed recipient|returned to sender|non-delivery report|(?:permanent|fatal) errors?"
    r"|following address(?:es)? (?:had|failed)|did not reach|wasn['’]t delivered|bounced|user unknown"
    r"|unknown user|mailbox (?:is )?(?:full|unavailable|not found)|no such (?:user|recipient|address)"
    r"|配信(?:でき|不能)|送信でき|届けでき|konnte nicht zugestellt|nicht zustellen|n['’]a pas pu être"
    r"|no se (?:ha )?p(?:udo|odido) entregar|non è stato possibile|не (?:доставлен|может быть)"
    r"|address(?:es)? (?:is|are|was) (?:invalid|unknown)",
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
AUTO_BODY = words_of(
    r"^\W{0,5}(?:this is an automat(?:ic|ed|ically)|dies ist eine automatische"
    r"|ceci est une? (?:message|réponse) automatique|este es un mensaje automático|questo è un messaggio automatico)",
)
# The text of mass mail. Footers of groups ("to unsubscribe from this group") do not count: people write through groups.
MASS_MAIL_BODY = words_of(
    r"view (?:this |the |it )?(?:e-?mail |message |newsletter )?(?:online|in (?:your|a|the) (?:web ?)?browser)"
    r"|(?:im browser|online) (?:an(?:sehen|zeigen)|öffnen|lesen)|version en ligne|dans votre navigateur|en (?:tu|su) navegador"
    r"|nel (?:tuo )?browser|no (?:seu )?navegador"
)
# Texts of the list server fml about mail that it does not pass on.
LIST_SERVER_SUBJECT = words_of(
    r"\b(?:not member article from|(?:you .{1,80} )?are not member|reject mail |spam mail from a spammer is rejected"
    r"|fml system error message|loop (?:alert|back warning)\b|warning: unix from loop|security alert\b)"
)
LIST_SERVER_BODY = words_of(
    r"original mail as follows|you are not a member|(?:is|are) not (?:a )?member|mail loop|loop (?:alert|back|detect)"
    r"|rejects? (?:your|this) (?:mail|article|post)"
)
