"""Words by which machines' mails show themselves: senders, subjects and first lines, in the languages we meet."""

import re

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
# No person opens a mail with these; they need no witness in the body.
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
# These may be a person's words too ("Declined: my card"): the mail must show that it speaks of a meeting or a mail.
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
