"""The words by which mail programs mark quotations and signatures, in their languages."""

import re


def words(spec: str) -> list[str]:
    return [" ".join(word.split()) for word in spec.split("|")]


def either(spec: str) -> str:
    """One regex group for a list of plain words, longest first so that a short word never hides a longer one."""
    return "(?:" + "|".join(re.escape(word) for word in sorted(words(spec), key=len, reverse=True)) + ")"


LABELS_BY_ROLE = {
    "from": "from|von|de|da|van|od|от|от кого|від|fra|från|frá|lähettäjä|kimden|gönderen|feladó|差出人|送信者"
    "|发件人|寄件者"
    "|寄件人|보낸 사람|보낸사람|expéditeur|mittente|remitente|remetente|afzender|absender|nadawca|odesílatel"
    "|odosielateľ"
    "|avsändare|avsender|afsender|từ|dari|από|מאת|من|จาก|de la|expeditor|expeditorul|pošiljatelj|šalje|saatja"
    "|отправитель|від кого|送信元|보낸이",
    "sent": "sent|date|date sent|sent on|gesendet|gesendet am|datum|envoyé|envoyé le|enviado|enviado el"
    "|enviado em|enviada"
    "|enviada em|data|fecha|inviato|inviato il|verzonden|wysłano|wysłane|отправлено|дата|надіслано|sendt|dato|skickat"
    "|lähetetty|päivämäärä|päiväys|pvm|tarih|gönderildi|gönderme tarihi|elküldve|dátum|送信日時|日時|日付"
    "|发送时间|发送日期"
    "|日期|寄件日期|傳送時間|时间|보낸 날짜|날짜|odesláno|odoslané|trimis|dată|đã gửi|ngày|dikirim|tanggal|ημερομηνία"
    "|στάλθηκε|נשלח|תאריך|تاريخ|تم الإرسال|message du|poslano|saadetud|kuupäev|gönderilen|изпратено|изпратено на"
    "|보낸시간",
    "to": "to|an|à|a|para|aan|do|кому|til|till|vastaanottaja|kime|alıcı|címzett|宛先|收件人|收件者|받는 사람|받는사람"
    "|destinataire|destinatario|destinatário|komu|către|tới|đến|kepada|προς|אל|إلى|ถึง|mottagare|mottaker"
    "|modtager|saaja|prima|destinatarul|pre|pour|adresat|送信先|받는이|до",
    "copy": "cc|kopie|copie|copia|cópia|kopia|kopi|копия|抄送|副本|참조|dw|ccn|bcc|másolatot|kopio|kopija"
    "|másolatot kap|reply-to|répondre à|importance",
    "subject": "subject|betreff|objet|oggetto|asunto|assunto|onderwerp|temat|тема|emne|ämne|aihe|konu|tárgy|件名"
    "|主题|主旨"
    "|題名|제목|předmět|predmet|subiect|chủ đề|perihal|subjek|θέμα|נושא|الموضوع|เรื่อง|sujet|zadeva|teema"
    "|subiectul|naslov|относно",
}
LABELS = {label: role for role, spec in LABELS_BY_ROLE.items() for label in words(spec)}

# Labels of a date that lists of other things have too; "Sent:" is a mail's alone.
DATE_LABELS = frozenset(
    words(
        "date|datum|data|fecha|дата|dato|päivämäärä|päiväys|pvm|tarih|dátum|日時|日付|日期|时间|날짜|dată|ngày|tanggal"
        "|ημερομηνία|תאריך|تاريخ|kuupäev"
    )
)

# The marker line above a quoted or forwarded mail, compared without dashes and case.
ORIGINAL_MESSAGE = frozenset(
    words(
        "original message|original mail|mail original|mail d'origine|original appointment|reply message"
        "|forwarded message|forwarded by|forwarded mail"
        "|begin forwarded message:|begin forwarded message|ursprüngliche nachricht|originalnachricht"
        "|original-nachricht"
        "|urspruengliche nachricht|weitergeleitete nachricht|anfang der weitergeleiteten nachricht:|message d'origine"
        "|message d’origine|message original|message transféré|message transmis|début du message réexpédié :"
        "|début du message transféré :|mensaje original|mensaje reenviado|mensaje enviado"
        "|inicio del mensaje reenviado:"
        "|mensagem original|mensagem encaminhada|mensagem reencaminhada|início da mensagem reencaminhada:"
        "|messaggio originale|messaggio inoltrato|inizio messaggio inoltrato:|oorspronkelijk bericht"
        "|origineel bericht|oorspronkelijke bericht|doorgestuurd bericht|begin doorgestuurd bericht:"
        "|oprindelig meddelelse|oprindelig besked|videresendt meddelelse|opprinnelig melding|original melding"
        "|videresendt melding|ursprungligt meddelande|originalmeddelande|vidarebefordrat meddelande"
        "|vidarebefordrat brev"
        "|alkuperäinen viesti|edelleenlähetetty viesti|välitetty viesti|oryginalna wiadomość|wiadomość oryginalna"
        "|wiadomość przekazana|treść przekazanej wiadomości|исходное сообщение|пересылаемое сообщение"
        "|оригинальное сообщение"
        "|пересланное сообщение|пересылаемое письмо|початкове повідомлення|переслане повідомлення"
        "|původní zpráva|přeposlaná zpráva|pôvodná správa|preposlaná správa|eredeti üzenet|továbbított üzenet"
        "|özgün ileti|orijinal mesaj|iletilen mesaj|yönlendirilmiş ileti|mesaj original|mesajul original"
        "|mesaj redirecționat|αρχικό μήνυμα|προωθημένο μήνυμα|原始邮件|原始郵件|原始信件|转发的邮件|轉寄的郵件"
        "|邮件原件|转发邮件信息"
        "|元のメッセージ|転送されたメッセージ|original message / 元のメッセージ|원본 메시지|원본 메일"
        "|전달된 메시지|thư gốc|tin nhắn gốc"
        "|pesan asli|pesan terusan|ההודעה המקורית|הודעה מקורית|הודעה שהועברה|الرسالة الأصلية|رسالة أصلية"
        "|izvorna poruka|proslijeđena poruka|započni proslijeđenu poruku:"
        "|začátek přeposílané zprávy:|původní e-mail|začiatok preposlanej správy:"
        "|start på videresendt besked:|vidarebefordrat mejl:|opphavleg melding|vidaresend melding"
        "|välitetty viesti alkaa:|välitetty viesti / fwd.msg|alkuperäinen viesti / orig.msg."
        "|továbbított levél kezdete:|początek przekazywanej wiadomości:|przekazana wiadomość"
        "|treść oryginalnej wiadomości|începe mesajul redirecționat:|начало переадресованного сообщения:"
        "|перенаправленное сообщение|початок листа, що пересилається:|перенаправлене повідомлення"
        "|оригинално писмо|оригинална порака|originalus laiškas|persiųstas laiškas"
        "|i̇letilmiş mesaj|i̇letilmiş ileti|i̇letilen ileti|i̇leti başlangıcı:"
        "|メッセージを転送|転送メール|보낸 메일|원본메일|转发的消息|原始消息|轉寄郵件"
        "|missatge reenviat|mensaxe orixinal|mensaxe reenviada|jatorrizko mezua|birbidalitako mezua"
        "|edastatud kiri|posredovano sporočilo|upprunalegur póstur|áframsendur póstur"
        "|mesazhi origjinal|mesazhi i përcjellë|зыходны ліст|накіраваны ліст"
        "|originalna poruka|izvirno sporočilo|algne kiri|missatge original"
    )
)

# "On <date> <person> wrote:" – the verb, anywhere in the line.
WROTE = (
    "wrote|writes|has written|schrieb|schrieben|geschrieben|a écrit|a ecrit|écrivit|escribió|escribio|ha escrito"
    "|ha scritto"
    "|scrisse|escreveu|schreef|geschreven|skrev|skreiv|skrifaði|kirjoitti|napisał(a)|napisał|napisała|napísal(a)"
    "|napísal|napsal(a)|napsal|napsala|napisao je|napisao|napisala|je napisal|написал(а)|написал|написала|пишет"
    "|pisze|napisze|написав"
    "|написав(ла)|написала(ла)|пише|написа|έγραψε|yazdı|şunu yazdı|şunları yazdı|írta|a scris|kirjutas|rakstīja"
    "|rašė|写道|寫道"
    "|写到|書きました|のメール|님이 작성|작성|đã viết|viết|menulis|כתב|כתבה|כתב/ה|مאת|كتب|کتب|نوشت|เขียนว่า"
    "|เขียน|va escriure|escribiu"
    "|va scrigui|idatzi zuen|scríobh|skrivaði|menulis pada|je napisala|napisao/la|je napisao/la|написао|написао/ла"
    "|је написао|напісаў|shkroi|ha scrit|ha escrit|skreau|쓴 글|쓴글|ezt írta|كتب/كتبت|כתב/כתבה"
)

# The first words of such a line; used to separate it from the text above when the client broke it over several lines.
OPENERS = (
    "on|am|le|el|il|em|op|den|in data|w dniu|dnia|dne|pada|vào|la data|στις|ב-|בתאריך|на|в|в день|tarihinde|the"
    "|at|в пн|а"
    "|mon|tue|wed|thu|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday|mo|di|mi|do|fr|sa|so"
    "|ma|ti|ke|to"
    "|pe|la|su|man|tir|ons|tor|fre|lør|søn|mån|tis|lör|sön|пн|вт|ср|чт|пт|сб|вс|нд|pon|wt|śr|czw|pt|sob|niedz|po"
    "|út|st|čt"
    "|pá|ne|lun|mar|mié|jue|vie|sáb|dom|mer|gio|ven|sab|seg|ter|qua|qui|sex|понедельник|вторник|среда|четверг"
    "|пятница|суббота"
    "|воскресенье|dt|el dl|a"
)

SIGN_OFFS = frozenset(
    words(
        "regards|best regards|kind regards|kindest regards|warm regards|warmest regards|with regards"
        "|with kind regards"
        "|with best regards|many regards|sincerely|yours sincerely|sincerely yours|yours faithfully|best wishes"
        "|yours truly"
        "|mit freundlichen grüßen|mit freundlichen grüssen|mit freundlichem gruß|freundliche grüße|viele grüße"
        "|beste grüße"
        "|liebe grüße|schöne grüße|herzliche grüße|mfg|lg|vg|cordialement|bien cordialement|bien à vous|salutations"
        "|meilleures salutations|saludos|saludos cordiales|un saludo|atentamente|cordiali saluti|distinti saluti"
        "|saluti"
        "|cordialmente|atenciosamente|cumprimentos|melhores cumprimentos|met vriendelijke groet"
        "|met vriendelijke groeten"
        "|vriendelijke groeten|groeten|med vänlig hälsning|med vänliga hälsningar|vänliga hälsningar|hälsningar"
        "|mvh|kh"
        "|med venlig hilsen|venlig hilsen|med vennlig hilsen|vennlig hilsen|hilsen|ystävällisin terveisin|terveisin"
        "|pozdrawiam|z poważaniem|с уважением|з повагою|s pozdravem|s pozdravom|üdvözlettel|saygılarımla"
        "|cu stimă|此致|敬具"
    )
)
# Words of somebody who tells who wrote what: "on 3 May you wrote", "your colleague wrote". No attribution has them.
TOLD = (
    "su compañera|su compañero|su colega|sus colegas|nuestro|nuestra|nuestros|nuestras|vuestro|vuestra|usted|ustedes|nosotros"
    "|vostro|vostra|vostri|vostre|nostro|nostra|nostri|nostre|il suo|la sua|il mio|la mia|voi|noi"
    "|seu colega|sua colega|o seu|a sua|nosso|nossa|meu|minha|você|vocês"
    "|uw|onze|mijn|jullie|wij|ik|er kollega|ert team|vår|vårt|min kollega|din kollega|jeres|vores"
    "|teidän|meidän|minun|kolleganne"
    "|państwa|państwo|pański|pańska|nasz|nasza|wasz|wasza|mój|moja|pan|pani"
    "|váš|vaše|vašeho|náš|naše|můj|moje|vaša|môj|naš|naša|vaš|vaša"
    "|ваш|ваша|ваше|ваши|наш|наша|мой|моя|вы|мы|наші|мій|моя"
    "|az önök|kollégája|kollégájuk|kollégánk|colegul|colega|dumneavoastră"
    "|sizin|bizim|benim|arkadaşınız|ekibiniz|meslektaşınız|συνάδελφός|συνάδελφος|σας|μας|μου"
    "|העמית|שלכם|שלנו|زميلكم|زميلك|زميلنا|لنا"
)
TOLD_UNSPACED = "御社|弊社|貴社|当社|お客様|担当者|您|你们|你的|我们|我的|贵|귀사|저희|우리|고객님|담당자"
_MY = r"(?:(?:my|mein\w*|mon|ma|mi|mio|mia|il mio|mijn|min|mitt|o meu|meu|minha|moje\w*|moj\w*|мо\w+|a|an|the)\s+)?"
DEVICE = (
    r"(?:[\w.+-]*(?:phone|pad|pod|mail|android|blackberry|galaxy|samsung|mobil\w*|handy|outlook|windows|tablet"
    r"|pixel|huawei"
    r"|xiaomi|nokia|htc|sony|wiko|oneplus|motorola|typeapp|spark|yahoo|gmx|proton\w*|hotmail|cell|device|laptop"
    r"|watch|mac)\w*)"
)
# One line that a phone or an app appends. If verbs follow ("Sent from my desk, is much easier"), it is the sender's
# text.
MOBILE_SIGNATURE = re.compile(
    r"^[\s(<\[*_\-–—]{0,6}(?:"
    rf"(?:sent|written|typed) (?:from|via|with|by|using|on) (?!.*\b(?:is|are|was|were|has|have|because|about"
    rf"|all)\b){_MY}\S.*"
    r"|get \[?(?:outlook|typeapp|bluemail|spark|yahoo|gmail)(?: mail)? for\b.*|(?:download|get) the all.new aol app.*"
    r"|from my (?:iphone|ipad|phone|mobile|android|blackberry).*|yahoo mail:.*|sent from \w+"
    r"|(?:gesendet|versendet|geschrieben|verschickt) (?:von|mit|über|via|aus|vom) (?!.*\b(?:ist|sind|war|waren"
    r"|hat|haben)\b).*"
    r"|(?:diese nachricht wurde )?(?:von|vom) \S.{0,60} gesendet\.?|holen sie sich outlook.*"
    rf"|(?:envoyé|écrit) (?:depuis|de|à partir de|avec|via|par|d['’]) ?(?:{_MY}).*|télécharge[rz] outlook.*"
    rf"|obtenez outlook.*"
    rf"|(?:enviado|escrito|enviada) (?:desde|con|de|do|da|a partir d\w|via|pelo|por|através d\w) (?:{_MY}).*"
    r"|(?:obtener|obtenga|obter|obtenha|baixe) outlook.*|inviat[oa] (?:da|dal|dall['’]|con|tramite) ?.*"
    r"|(?:scarica|ottieni) outlook.*"
    r"|(?:verzonden|verstuurd|gestuurd) (?:met|vanaf|vanuit|via|door) .*|(?:outlook voor .* downloaden"
    r"|download outlook voor.*)"
    r"|(?:skickat|sänt) (?:från|med|via) .*|(?:sendt|skrevet) (?:fra|med|via) .*|(?:hent|hämta|skaffa|få) outlook .*"
    r"|lähetetty (?!:).*(?:sta|stä|lta|ltä|lla|llä)\b.*|hanki outlook.*|(?:wysłane|wysłano) (?:z|ze|za pomocą"
    r"|przez) .*"
    r"|(?:pobierz|stáhnout|získať) (?:program |aplikaci )?outlook.*|(?:отправлено|написано) (?:с|из|со|через|от) .*"
    r"|(?:надіслано|відправлено) (?:з|із|через) .*|(?:odesláno|odoslané|poslano) (?:z|ze|zo|s|iz) .*|küldve (?:a"
    r"|az) .*|(?:az? )?\S{2,40}r[óő]l küldve\.?"
    r"|.{0,40}(?:'?[td]?[ae]n|'?[ıiuü]mdan|umdan) gönderildi\.?|trimis (?:de pe|din|prin) .*|στάλθηκε από .*|נשלח מ.*"
    r"|(?:أُرسلت|أرسلت|مرسل|تم الإرسال) من .*|.{0,40}から送信.?|[发發送]自我的.*|[从從]我的.*(?:发送|傳送|寄出)"
    r"|发自.*|나의 .*에서 보냄"
    r"|.{0,30}에서 보냄|(?:đã gửi|được gửi|gửi) từ .*|dikirim dari .*|poslano iz .*"
    rf"|\S+ from mobile|sent by {DEVICE}.*"
    r")$",
    re.IGNORECASE,
)

# "Re:" and "Fwd:" in the languages of mail programs, once or several times.
REPLY_MARK = re.compile(
    r"^(?:\s*(?:re|aw|sv|vs|antw|odp|ynt|rif|res|rv|r|fw|fwd|wg|tr|i|enc|doorst|vl|vb|pd|yml|回复|答复|回覆|转发|轉寄|返信|転送|회신|전달|отв"
    r"|ha|atb|απ|σχετ|πρθ)\s?(?:\[\d{1,3}\])?\s?[:：])+\s*",
    re.IGNORECASE,
)
