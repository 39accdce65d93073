import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.inbound.rules.reply_text import read_reply, visible_reply, visible_reply_html

OWN = "We can live with that.\nTwo weeks are fine."

ATTRIBUTIONS = [
    "On Mon, Feb 1, 2021 at 4:58 PM Ana Roy <ana@example.com> wrote:",
    "On Mon, Feb 1, 2021 at 4:58 PM Ana Roy <\nana.roy.with.a.long.address@example.com> wrote:",
    "On Feb 1, 2021, at 4:58 PM, Ana Roy\n<ana@example.com>\nwrote:",
    "Ana Roy <ana@example.com> wrote:",
    "Am 01.02.2021 um 16:58 schrieb Ana Roy <ana@example.com>:",
    "Ana Roy <ana@example.com> schrieb am Mo., 1. Feb. 2021\num 16:58 Uhr:",
    "Le lun. 1 févr. 2021 à 16:58, Ana Roy <ana@example.com>\na écrit :",
    "El lun, 1 feb 2021 a las 16:58, Ana Roy (<ana@example.com>) escribió:",
    "Il giorno lun 1 feb 2021 alle ore 16:58 Ana Roy <ana@example.com> ha scritto:",
    "Em seg., 1 de fev. de 2021 às 16:58, Ana Roy <ana@example.com> escreveu:",
    "Op ma 1 feb. 2021 om 16:58 schreef Ana Roy <ana@example.com>:",
    "Den mån 1 feb. 2021 kl 16:58 skrev Ana Roy <ana@example.com>:",
    "ma 1. helmik. 2021 klo 16.58 Ana Roy (ana@example.com) kirjoitti:",
    "pon., 1 lut 2021 o 16:58 Ana Roy <ana@example.com> napisał(a):",
    "пн, 1 февр. 2021 г. в 16:58, Ana Roy <ana@example.com>:",
    "1 Şub 2021 Pzt, 16:58 tarihinde Ana Roy <ana@example.com> şunu yazdı:",
    "po 1. 2. 2021 v 16:58 odesílatel Ana Roy <ana@example.com> napsal:",
    "2021年2月1日(月) 16:58 Ana Roy <ana@example.com>:",
    "Ana Roy <ana@example.com> 于2021年2月1日周一 下午4:58写道：",
    "2021년 2월 1일 (월) 오후 4:58, Ana Roy <ana@example.com>님이 작성:",
    "---- On Mon, 01 Feb 2021 16:58:10 +0100 ana@example.com wrote ----",
]

HEADER_BLOCKS = [
    "From: Ana Roy <ana@example.com>\nSent: Monday, February 1, 2021 4:58 PM\nTo: Sam\nSubject: Offer",
    "________________________________\nFrom: Ana Roy\nSent: Monday\nTo: Sam\nSubject: Offer",
    "*From:* Ana Roy\n*Sent:* 2021-02-01\n*To:* Sam\n*Subject:* Offer",
    "Von: Ana Roy\nGesendet: Montag, 1. Februar 2021 16:58\nAn: Sam\nBetreff: AW: Angebot",
    "De : Ana Roy\nEnvoyé : lundi 1 février 2021\nÀ : Sam\nObjet : Offre",
    "De: Ana Roy\nEnviado el: lunes\nPara: Sam\nAsunto: Oferta",
    "Van: Ana Roy\nVerzonden: maandag\nAan: Sam\nOnderwerp: Aanbod",
    "От: Ana\nОтправлено: понедельник\nКому: Sam\nТема: Offer",
    "差出人: Ana <ana@example.com>\n送信日時: 2021年2月1日\n宛先: Sam\n件名: Offer",
    "发件人： Ana\n发送时间： 2021年2月1日\n收件人： Sam\n主题： Offer",
    "-----Original Message-----\nFrom: Ana",
    "-----Ursprüngliche Nachricht-----\nVon: Ana",
    "---------- Forwarded message ---------\nFrom: Ana",
    "From: Ana Roy \n<ana.roy@example.com>\nSent: Monday\nTo: Sam\nSubject: Offer",
]

SIGNATURES = [
    "-- \nSam Lee\nHead of Support",
    "Sent from my iPhone",
    "Sent from Yahoo Mail on Android",
    "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "Von meinem iPhone gesendet",
    "Gesendet von Outlook für Android",
    "Envoyé de mon iPhone",
    "Enviado desde mi iPhone",
    "Inviato da iPhone",
    "Verstuurd vanaf mijn iPhone",
    "Wysłane z telefonu Samsung",
    "Отправлено с iPhone",
    "iPhoneから送信",
    "_______________________________\nusers mailing list\nusers@lists.example.com",
    "Kind regards,\nSam Lee",
    "Mit freundlichen Grüßen\nSam Lee",
]

PROSE = [
    "At 10:30 our customer called.\nWe need three things:\n1. a refund\n2. a call",
    "He wrote: no.\nI said: yes.",
    "As John wrote:\nit has been broken since 2024.",
    "From our side: nothing.\nTo be clear: no.",
    "Sent from my desk, which is much easier than the phone.",
    "Sent the parcel with DHL today.",
    "With regards to the invoice: we accept.\nMore follows.",
    "## Points\n----\n1. faster\n\n----\nThe lines above are only separators.",
    "Date: 2024-05-01\nPlace: Berlin\nTopic: offer\nSee you",
    "We agreed on 3 Jan 2024 to do this:\n- a refund",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_what_follows_an_attribution_is_not_the_senders(attribution: str) -> None:
    assert visible_reply(f"{OWN}\n\n{attribution}\n\nOld words\nfrom before\n") == OWN


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_a_bracketed_quotation_goes_with_its_attribution(attribution: str) -> None:
    assert visible_reply(f"{OWN}\n\n{attribution}\n> Old words\n> from before\n") == OWN


@pytest.mark.parametrize("block", HEADER_BLOCKS)
def test_a_block_of_mail_headers_ends_the_reply(block: str) -> None:
    assert visible_reply(f"{OWN}\n\n{block}\n\nOld words\n") == OWN


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_signature_is_left_out(signature: str) -> None:
    assert visible_reply(f"{OWN}\n\n{signature}\n") == OWN


@pytest.mark.parametrize("prose", PROSE)
def test_prose_that_looks_like_mail_furniture_stays(prose: str) -> None:
    assert visible_reply(prose) == prose


STAYS = [
    "The report is fine.\n\nKind regards,\nCarla\n\nPS: we cancel if the invoice is wrong.",
    "Fine.\n\nMit freundlichen Grüßen\nCarla\n\nP.S. Wir kündigen sonst.",
    "Fine.\n\n-- \nCarla\n\nP.S.: we cancel.",
    "Our points:\n\n--\nPoint 1: the outage was never explained\n--\nPoint 2: a credit\n--\nCarla",
    "Our point:\n\n--\nThe outage of 3 November was never explained to us.\nWe want a credit.",
    "Our demand follows.\n____________\nCredit of one month\n____________\nCall today",
    "Lost shipment:\nFrom: Hamburg\nTo: Rotterdam\nDate: 12 November 2026\nWeight: 400 kg\nWhere is it?",
    "Von: Hamburg\nNach: Oslo\nDatum: 12.11.2026\nAn: Lager 4\nWo ist sie?",
    "On 3 November 2026 you wrote:\nwe will credit us by Friday.\nNothing came.",
    "On 3 November 2026 at 10:15 your colleague wrote:\n“We will fix it.”\nNothing was fixed.",
    "On 12 May 2026 your support wrote:\nit is solved. It is not.",
    "Thank you.\nYour portal says:\n\n> Error 4711\n> Contact your administrator",
]


@pytest.mark.parametrize("text", STAYS)
def test_own_words_stay_where_no_quotation_is_proven(text: str) -> None:
    seen = re.sub(r"\s", "", visible_reply(text))
    for line in text.split("\n"):
        if line.strip("-_ ") and "regards" not in line and "Grüßen" not in line and line != "Carla":
            assert re.sub(r"\s", "", line) in seen


ADDED = [
    "P.S. we cancel the contract.",
    "PPS we cancel.",
    "p/s: we cancel",
    "NB: we cancel",
    "Postscript: we cancel",
    "Edit: we cancel",
    "P.-S. : nous résilions",
    "PD: cancelamos el contrato",
    "P.D. cancelamos",
    "Em tempo: cancelamos",
    "Nachtrag: wir kündigen",
    "NS: we zeggen op",
    "OBS! Vi säger upp",
    "U.i.: felmondjuk",
    "ЗЫ: расторгаем договор",
    "Υ.Γ. ακυρώνουμε",
    "追伸: 解約します",
    "附言：我们要求退款",
]


@pytest.mark.parametrize(
    "close", ["Kind regards,\nCarla", "Mit freundlichen Grüßen\nCarla Nunez", "-- \nCarla Nunez", "LG\nCarla"]
)
@pytest.mark.parametrize("added", ADDED)
def test_a_postscript_stays_in_every_language(close: str, added: str) -> None:
    quoted = "On Mon, 2 Mar 2026 at 09:00, Desk <desk@desk.example> wrote:\n> Here is the report."
    seen = visible_reply(f"The report looks fine.\n\n{close}\n\n{added}\n\n{quoted}")
    assert seen.startswith("The report looks fine.")
    assert seen.endswith(added)


LEAKS = [
    "2026-11-28 20:00 GMT+01:00, Escalation Desk <desk@desk.example>:",
    "2026-11-28T20:00:00+01:00 Desk <desk@desk.example>:",
    "Escalation Desk <desk@desk.example> 2026-11-28 20:00:",
    "Sat, 2026-11-28 20:00 Desk (desk@desk.example):",
    "On Sat, 28 Nov 2026 at 20:00, Escalation Desk\n\n<desk@desk.example> wrote:",
    "On Sat, 28 Nov 2026 at 20:00,\nEscalation\nDesk\n<desk@\ndesk.example>\nwrote:",
    "Am Sa., 28. Nov. 2026 um 20:00 Uhr schrieb Escalation\n\nDesk <desk@desk.example>:",
    "*---- Original Message ----*",
    "*-----Original Message-----*\nFrom: Desk",
    "<--- Original Message --->",
]


@pytest.mark.parametrize("attribution", LEAKS)
def test_an_unusual_attribution_is_one_too(attribution: str) -> None:
    reply = read_reply(f"{OWN}\n\n{attribution}\n\nOld words\nfrom before\n")
    assert reply.text == OWN
    assert reply.cut.startswith(attribution[:20])
    assert visible_reply(f"{OWN}\n\n{attribution}\n> Old words\n") == OWN


def test_an_iso_date_and_a_name_above_a_quotation_are_an_attribution() -> None:
    assert visible_reply(f"{OWN}\n\n2026-11-28 20:00, Escalation Desk:\n> Old words\n") == OWN
    log = "Our log:\n2026-11-28 20:00, portal:\nnobody could sign in"
    assert visible_reply(log) == log


def test_what_is_cut_and_what_is_shown_make_the_whole_mail() -> None:
    text = "Yes.\n\nKind regards,\nSam\n\nOn 1 Feb 2021 at 16:58, Ana <ana@example.com> wrote:\n> Refund?\n"
    reply = read_reply(text)
    assert reply.text == "Yes."
    assert reply.cut == text.removeprefix("Yes.").strip("\n")


def test_answers_below_a_header_block_stay() -> None:
    block = "From: Ana <ana@example.com>\nSent: Monday\nTo: Sam\nSubject: Offer"
    text = f"See below.\n\n{block}\n\n> Refund?\n\nYes, we want all of it.\n\n> Call?\n\nNo."
    assert visible_reply(text) == "See below.\n\n\n> Refund?\n\nYes, we want all of it.\n\n> Call?\n\nNo."


def test_a_quotation_at_the_end_goes_only_if_the_mail_answers_another() -> None:
    text = "This is what we see.\n\n> Error 4711"
    assert visible_reply(text) == "This is what we see."
    assert read_reply(text, answers=False).text == text


def test_answers_between_quotations_keep_the_quotations() -> None:
    text = "See below.\n\nOn 1 Feb 2021 at 16:58, Ana <ana@example.com> wrote:\n> Refund?\n\nYes.\n\n> Call?\n\nNo."
    assert visible_reply(text) == "See below.\n\n> Refund?\n\nYes.\n\n> Call?\n\nNo."


def test_an_answer_below_the_quotation_is_found() -> None:
    assert visible_reply("On 1 Feb 2021 at 16:58, Ana wrote:\n> Refund?\n> Call?\nBoth.") == "Both."


def test_the_overhang_of_a_long_quoted_line_is_no_answer() -> None:
    quoted = "> " + "long words " * 6
    text = f"{OWN}\n\nOn 1 Feb 2021 at 16:58, Ana wrote:\n{quoted}\nspill over\n> more\n"
    assert visible_reply(text) == OWN


def test_a_mail_that_only_forwards_shows_the_forwarded_words_and_says_so() -> None:
    reply = read_reply("---------- Forwarded message ----------\nFrom: Ana\nDate: Monday\nTo: Sam\n\napprove\n")
    assert (reply.text, reply.is_own) == ("approve", False)


def test_a_mail_of_quotation_alone_has_no_words() -> None:
    assert visible_reply("On 1 Feb 2021 at 16:58, Ana wrote:\n> approve\n") == ""


@pytest.mark.parametrize(
    "page",
    [
        '<div>Fine.</div><div class="gmail_quote">On 1 Feb 2021 at 16:58, Ana &lt;a@b.cd&gt; wrote:<p>Old</p></div>',
        '<p>Fine.</p><div class="moz-cite-prefix">Unknown tongue:<br></div><blockquote>Old</blockquote>',
        '<p>Fine.</p><hr><div id="divRplyFwdMsg">Anything at all</div><div>Old</div>',
        "<p>Fine.</p><div><b>From:</b>&nbsp;Ana<br><b>Sent:</b> Monday<br><b>To:</b> Sam</div>Old",
        '<div>Fine.</div><div class="ydp1yahoo_quoted"><div>Old</div></div>',
        "<div>Fine.</div><div>On Sep 4, 2025, at 11:30 AM, Jane <jane@example.com> wrote:</div><div>Old</div>",
        '<style>p {}</style><!-- <p>no</p> --><div>Fine.</div><div class="gmail_signature">Sam</div>',
        "<div>Fine.</div><div>Sent from my iPhone</div>",
    ],
)
def test_the_reply_in_a_page_is_found_without_quotation_and_signature(page: str) -> None:
    assert visible_reply_html(page) == "Fine."


HOSTILE = [
    ":\n" * 500_000,
    "On 1/1/2011 10:00 x@y wrote:\n> a\n" * 30_000 + "end",
    "<a " * 330_000,
    "<!--" * 250_000,
    "From: a\nTo: b\n" * 70_000,
    ("x " * 140 + "wrote:\n") * 3_500,
    ("sent from " + "x " * 50 + "\n") * 9_000,
    "<div><blockquote>" * 60_000,
    "______\na\n" * 100_000,
    ">" * 1_000_000,
    ("1" * 290 + ":\n") * 3_400,
    ("-" * 290 + " a@b\n") * 3_400,
    (">>> " + "1:11 " * 40 + " >>>\n") * 5_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_costs_little(text: str) -> None:
    started = time.process_time()
    visible_reply(text)
    visible_reply_html(text)
    assert time.process_time() - started < 2


@pytest.mark.prove
@given(st.text(alphabet=st.sampled_from(list("ab>:-_@<\n .1F")), max_size=400))
def test_the_reply_never_grows_and_never_fails(text: str) -> None:
    assert len(visible_reply(text)) <= len(text)
    visible_reply_html(text)


def test_real_replies_are_read_as_people_marked_them(real_data: Path) -> None:
    rows = [json.loads(line) for line in (real_data / "5_mail" / "replies.jsonl").read_text("utf-8").splitlines()]
    exact = sum(_agrees(row) for row in rows)
    assert exact >= 0.95 * len(rows)


def _agrees(row: dict[str, str]) -> bool:
    read = visible_reply_html if row["kind"] == "html" else visible_reply
    got, wanted = (re.sub(r"\s", "", text) for text in (read(row["body"]), row["expected_reply"]))
    return wanted in got if row["expected_kind"] == "contains" else wanted == got
