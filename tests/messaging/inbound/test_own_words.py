"""Random mails from parts: what the sender wrote before the first proof of a quotation is shown, whatever it looks like."""

from collections import Counter
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.inbound.rules.html_text import html_to_text
from messaging.inbound.rules.reply_text import read_reply

SENTENCES = [
    "We need three things from you by Friday.",
    "Yes.",
    "No, thanks.",
    "Please call me at 10:30.",
    "Die Rechnung vom 3. Mai 2026 stimmt nicht.",
    "Le 3 mai 2026 à 10:15, votre collègue nous a écrit :",
    "On 3 May 2026 at 10:15 your colleague wrote:",
    "Am 3. Mai 2026 um 10:15 Uhr schrieb uns Ihr Kollege:",
    "«el reembolso sale mañana».",
    "As I wrote on Monday, the upload fails.",
    "Sent from Hamburg on 3 May, and it has not arrived.",
    "Sent the parcel with DHL today.",
    "Von: Hamburg, Lager 4",
    "From: Hamburg, depot 4",
    "To: Oslo, hall 2",
    "Date: 3 May 2026",
    "Datum: 3. Mai 2026",
    "Subject: spare parts",
    "Betreff: Ersatzteile",
    "2026-05-03 Ana Roy told us to wait.",
    "2026-05-03 10:15 the server stopped.",
    "3.5.2026, 10:15: der Server steht.",
    "Ana Roy: the refund is approved.",
    "Ana Roy wrote: not before June.",
    "Please write to ana@example.com from now on.",
    "Kim Lee <kim@example.com>",
    "2026-05-03 Ana Roy <ana@example.com>",
    "2026-05-03, Kim Lee <kim@example.com>: owner",
    "Ana Roy <ana@example.com>, 2026-05-03, owner",
    "El 3 de mayo de 2026 a las 10:15 su compañera escribió:",
    "Op 3 mei 2026 om 10:15 schreef uw collega:",
    "Den 3 maj 2026 kl. 10:15 skrev er kollega:",
    "Dnia 3 maja 2026 o 10:15 Państwa pracownik napisał:",
    "Em 3 de maio de 2026 às 10:15 o seu colega escreveu:",
    "Eva Ek (eva@example.com):",
    "On Monday, ana@example.com wrote to you.",
    "On 3 May 2026, ana@example.com wrote to you about the refund.",
    "Il 3 maggio 2026 la vostra collega ha scritto:",
    "Dne 3. 5. 2026 napsal váš kolega:",
    "3 мая 2026 г. в 10:15 ваш коллега написал:",
    "2026年5月3日10:15に御社の担当者は次のように書きました:",
    "您的同事在2026年5月3日10:15写道：",
    "Sent from the warehouse: nothing.",
    "Envoyé de Lyon le 3 mai, le colis n'est pas arrivé.",
    "Enviado el lunes, no ha llegado.",
    "Skickat från Lund i går.",
    "Sendt fra Oslo i dag.",
    "Get Outlook running again, please.",
    "From my side: no.",
    "----- Offer -----",
    "*** URGENT ***",
    "~~~ logs ~~~",
    "To: all users",
    "Cc: nobody",
    "Re: offer",
    "Status: open",
    "-Refund",
    "-Full Refund",
    "Original message: see the case.",
    "Forwarded message",
    "Confidential: the price must not be named to others.",
    "Name: Sam Lee",
    "- the price is wrong",
    "1. the price is wrong",
    "* the delivery is late *",
    "a) one b) two",
    "C:\\> net start desk",
    "$ systemctl status desk",
    "http://desk.example/cases/1",
    "Regards to your whole team, you were helpful.",
    "Thanks",
    "Mfg ist kein Gruß.",
    "Мы ждём ответа уже неделю.",
    "От: Москва, склад 4",
    "Дата: 3 мая 2026",
    "契約の更新はしません。",
    "件名が間違っています。",
    "问题还没有解决，请今天回电话。",
    "계약을 해지하겠습니다.",
    "نرجو الرد قبل نهاية اليوم.",
    "אנחנו מבטלים את החוזה אם זה לא ייפתר השבוע.",
    "Prosíme o odpověď do pátku, jinak smlouvu vypovíme.",
    "Sorun devam ediyor, lütfen bugün arayın.",
    "Το πρόβλημα παραμένει και σήμερα.",
    "| account | amount |",
    "Total: 12.500,00 €",
    "Ticket #4711 / 4712",
    "?",
    "😀",
]
POSTSCRIPTS = [
    "PS: we cancel the contract if nobody calls.",
    "P.S. Soittakaa ennen kello neljää.",
    "PPS: the invoice is still open.",
    "NB: nur bis Freitag.",
    "追伸: お電話ください。",
    "З.Ы. счёт ещё не оплачен.",
    "One more thing: if the refund does not come by Friday, we cancel the contract.",
]
SIGNATURES = [
    [],
    ["Kind regards,", "Sam Lee"],
    ["Mit freundlichen Grüßen", "Sam Lee", "Leiter Einkauf"],
    ["Cordialement"],
    ["敬具"],
    ["-- ", "Sam Lee", "Head of Support", "+47 12 34 56 78"],
    ["--", "Sam"],
    ["____________________", "Sam Lee", "sam@example.com"],
    ["Sent from my iPhone"],
    ["Von meinem iPhone gesendet"],
    ["Get Outlook for iOS<https://aka.ms/o0ukef>"],
    ["Best wishes,", "", "Sam", "", "Sent from my Galaxy"],
]
# Lines that prove a quotation, and what a mail program puts below them.
QUOTED = ["The offer is attached.", "Shall we talk on Friday?", "Yes.", "See you"]
PLAIN_PROOFS = [
    ["From: Ana Roy <ana@example.com>", "Sent: Monday, 4 May 2026 09:12", "To: Sam Lee", "Subject: Offer"],
    ["Von: Ana Roy <ana@example.com>", "Datum: Montag, 4. Mai 2026 um 09:12", "An: Sam Lee", "Betreff: Angebot"],
    ["-----Original Message-----", "From: Ana Roy"],
    ["------ Original Message ------", 'From "Ana Roy" <ana@example.com>', "Date 2026/5/17 13:10:34"],
    ["________________________________", "De : Ana Roy", "Envoyé : lundi 4 mai 2026", "À : Sam Lee", "Objet : Offre"],
    ["---------- Forwarded message ---------", "Šalje: Ana Roy <ana@example.com>"],
    ["------------------ 原始邮件 ------------------", '发件人: "Ana Roy" <ana@example.com>;'],
    [">>> Ana Roy 11/08/26 5:56 PM >>>"],
    ["On Mon, 4 May 2026 at 09:12, Ana Roy <ana@example.com> wrote:"],
    ["Ana Roy <ana@example.com> 于2026年5月4日周一 上午9:12写道："],
]
ATTRIBUTIONS = [
    ["On Mon, 4 May 2026 at 09:12, Ana Roy <ana@example.com> wrote:"],
    ["On Mon, 4 May 2026 at 09:12, Ana Roy <", "ana@example.com> wrote:"],
    ["Am 04.05.2026 um 09:12 schrieb Ana Roy:"],
    ["2026-05-04 09:12, Ana Roy rašė:"],
    ["Στις 2026-05-04 09:12, Ana Roy έγραψε:"],
    ["2026年5月4日(月) 9:12 Ana Roy <ana@example.com>:"],
    ["Ana Roy napsal(a):"],
]

paragraphs = st.lists(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4), min_size=1, max_size=4)
proofs = st.one_of(
    st.just([]),
    st.builds(lambda head, body: [*head, *body], st.sampled_from(PLAIN_PROOFS), st.lists(st.sampled_from(QUOTED))),
    st.builds(
        lambda head, body: [*head, *(f"> {line}" for line in body)],
        st.sampled_from(ATTRIBUTIONS),
        st.lists(st.sampled_from(QUOTED), min_size=1),
    ),
)


def lines_of(typed: list[list[str]]) -> list[str]:
    """The paragraphs with a blank line between them."""
    return [line for paragraph in typed for line in (*paragraph, "")]


def assert_all_shown(own: list[str], text: str) -> None:
    shown = Counter(text.split("\n"))
    missing = {line for line in Counter(own) - shown if any(map(str.isalnum, line))}
    assert not missing, f"lost {missing} of\n{text!r}"


@pytest.mark.prove
@given(paragraphs, st.sampled_from(SIGNATURES), st.sampled_from(["", *POSTSCRIPTS]), proofs, st.booleans())
def test_words_before_the_first_proof_are_shown(
    typed: list[list[str]], signature: list[str], postscript: str, proof: list[str], answers: bool
) -> None:
    own = lines_of(typed)
    mail = [*own, *signature, "", *([postscript, ""] if postscript else []), *proof]
    reply = read_reply("\n".join(mail), answers=answers)
    assert reply.is_own
    assert_all_shown([*own, postscript], reply.text)


@pytest.mark.prove
@given(paragraphs, st.sampled_from(SIGNATURES), proofs)
def test_shown_and_cut_together_are_the_whole_mail(
    typed: list[list[str]], signature: list[str], proof: list[str]
) -> None:
    mail = [*lines_of(typed), *signature, "", *proof]
    reply = read_reply("\n".join(mail))
    assert_all_shown([line.rstrip() for line in mail], f"{reply.text}\n{reply.cut}")


@pytest.mark.prove
@given(paragraphs, st.sampled_from(["", *POSTSCRIPTS]), proofs)
def test_words_of_a_page_are_shown_too(typed: list[list[str]], postscript: str, proof: list[str]) -> None:
    own = lines_of(typed)
    page = "".join(f"<p>{'<br>'.join(map(escape, paragraph))}</p>" for paragraph in typed)
    head = "<br>".join(escape(line) for line in proof if not line.startswith("> "))
    body = "<br>".join(escape(line[2:]) for line in proof if line.startswith("> "))
    quotation = f"<div>{head}</div><blockquote>{body}</blockquote>"
    reply = read_reply(html_to_text(f"<html>{page}<div>{escape(postscript)}</div><br>{quotation}</html>"))
    assert_all_shown([*own, postscript], reply.text)
