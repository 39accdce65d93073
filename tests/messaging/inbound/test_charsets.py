import base64

import pytest

from messaging.inbound.parsing.charsets import codec_of, decode_escapes
from messaging.inbound.parsing.decoding import decode_bytes, decode_words
from messaging.inbound.parsing.parse import parse_mail
from tests.conftest import SAMPLE

SENTENCES = [
    ("gb2312", "gbk", "朱镕先生：我们要求退款，錢還沒有到賬"),
    ("GB_2312-80", "gbk", "我们不续约"),
    ("gb2312", "gb18030", "\U00020087 㐂 客户"),
    ("euc-kr", "cp949", "똠방각하 햏 계약을 해지하겠습니다"),
    ("ks_c_5601-1987", "cp949", "펲시 계약 갱신"),
    ("big5", "cp950", "我們要求退款，合約裏"),
    ("big5", "big5hkscs", "嘅 啲 合約"),
    ("shift_jis", "cp932", "①契約書の件、㈱北風、髙橋です。ｶﾅ"),
    ("windows-31j", "cp932", "①㈱"),
    ("iso-8859-1", "cp1252", "déçus – sofort €"),
    ("ISO8859-1", "cp1252", "«déçus»"),
    ("us-ascii", "cp1252", "grün"),
    ("iso-8859-9", "cp1254", "Sözleşmeyi iptal ediyoruz – “hemen” €"),
    ("windows-874", "cp874", "เราขอยกเลิกสัญญา"),
    ("tis-620", "cp874", "เราขอยกเลิกสัญญา “วันนี้”"),
    ("iso-8859-11", "cp874", "สัญญา"),
    ("iso-8859-8-i", "iso8859_8", "אנחנו מבטלים את החוזה"),
    ("iso-8859-8", "cp1255", "חוזה – „מיד”"),
    ("logical", "iso8859_8", "חוזה"),
    ("iso-8859-2", "iso8859_2", "Zażółć gęślą jaźń"),
    ("cp-1250", "cp1250", "Zażółć gęślą jaźń – teraz"),
    ("windows1251", "cp1251", "Мы расторгаем договор"),
    ("x-cp1251", "cp1251", "Договор"),
    ("koi8-r", "koi8_r", "Мы расторгаем договор"),
    ("koi8-u", "koi8_u", "Ми розриваємо договір"),
    ("ibm866", "cp866", "Договор"),
    ("windows-1253", "cp1253", "Ακυρώνουμε τη σύμβαση"),
    ("iso-8859-7", "iso8859_7", "Ακυρώνουμε"),
    ("windows-1256", "cp1256", "نحن نلغي العقد"),
    ("asmo-708", "iso8859_6", "العقد"),
    ("windows-1257", "cp1257", "Mēs laužam līgumu"),
    ("windows-1258", "cp1258", "Hợp đồng".replace("ợ", "ơ\u0323").replace("ồ", "ô\u0300")),
    ("latin9", "iso8859_15", "20 € déçus œuvre"),
    ("x-mac-roman", "mac_roman", "Nous résilions le contrat – déçus"),
    ("macintosh", "mac_roman", "Größe"),
    ("x-mac-cyrillic", "mac_cyrillic", "Договор"),
    ("utf-7", "utf_7", "Wir möchten den Vertrag kündigen"),
    ("unicode-1-1-utf-7", "utf_7", "契約"),
    ("utf-16", "utf_16", "Größe 契約"),
    ("utf-16le", "utf_16_le", "Größe 契約"),
    ("utf8", "utf-8", "Größe 契約"),
    ("cp65001", "utf-8", "Größe"),
    ("euc-jp", "euc_jp", "契約更新の件でご相談があります。ｶﾅ"),
    ("hz-gb-2312", "hz", "我们要求退款"),
    ("iso-2022-kr", "iso2022_kr", "계약을 해지하겠습니다"),
    ("iso-2022-jp", "iso2022_jp", "契約更新の件"),
    ("iso-2022-jp-ms", "iso2022_jp", "契約更新の件"),
    ("cp50220", "iso2022_jp_ext", "契約ｶﾅ"),
    ("iso-2022-jp-2", "iso2022_jp_2", "契約 한국"),
]


@pytest.mark.parametrize(("name", "codec", "text"), SENTENCES)
def test_text_is_read_by_the_encoding_that_programs_send_under_a_name(name: str, codec: str, text: str) -> None:
    raw = text.encode(codec)
    assert decode_bytes(raw, name) == (text, "")
    word = f"=?{name}?B?{base64.b64encode(raw).decode()}?="
    assert decode_words(f"Re: {word}") == f"Re: {text}"


NEC = "①㈱髙Ⅳ㎡№".encode("cp932")


def as_jis(shift_jis: bytes) -> bytes:
    """The two bytes of each character in ISO-2022-JP, as Windows programs send them, also NEC's and IBM's."""
    found = bytearray()
    for lead, trail in zip(shift_jis[::2], shift_jis[1::2], strict=True):
        row = (lead - (0x81 if lead < 0xA0 else 0xC1)) * 2 + (trail >= 0x9F)
        cell = trail - 0x9F if trail >= 0x9F else trail - 0x40 - (trail > 0x7F)
        found += bytes((row + 0x21, cell + 0x21))
    return bytes(found)


@pytest.mark.parametrize("name", ["iso-2022-jp", "iso-2022-jp-ms", "cp50221", None, "us-ascii", "utf-8", "iso-8859-1"])
def test_characters_of_nec_are_read_in_escaped_japanese(name: str | None) -> None:
    wide = "①契約書、㈱№Ⅳ㎡".encode("cp932")
    raw = b"Hello \x1b$B" + as_jis(wide) + b"\x1b(B, bye\r\n"
    assert decode_bytes(raw, name)[0] == "Hello ①契約書、㈱№Ⅳ㎡, bye\r\n"


def test_characters_of_nec_are_read_in_euc_jp() -> None:
    raw = bytes(byte | 0x80 for byte in as_jis("①契約、㈱".encode("cp932")))
    assert decode_bytes(raw, "euc-jp") == ("①契約、㈱", "")


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("iso2022_jp", "契約更新の件でご相談があります。"),
        ("iso2022_jp_1", "契約 丂丄"),
        ("iso2022_jp_3", "契約 ①"),
        ("iso2022_jp_2004", "契約 鷗"),
        ("iso2022_jp_2", "契約 한국 们"),
        ("iso2022_jp_ext", "ｶﾅ"),
        ("iso2022_kr", "계약을 해지하겠습니다"),
    ],
)
@pytest.mark.parametrize("name", [None, "us-ascii", "iso-8859-1", "utf-8", "nonsense", "shift_jis"])
def test_escape_sequences_tell_the_encoding_whatever_name_is_given(codec: str, text: str, name: str | None) -> None:
    assert decode_bytes(text.encode(codec), name)[0] == text


def test_a_raw_subject_with_escape_sequences_is_read() -> None:
    raw = b"From: a@example.com\nSubject: Re: " + "契約更新".encode("iso2022_jp") + b"\n\nx"
    assert parse_mail(raw).subject == "Re: 契約更新"


def test_raw_bytes_in_a_subject_are_read_by_the_encoding_of_the_text() -> None:
    head = b"From: a@example.com\nContent-Type: text/plain; charset=gb2312\nSubject: "
    mail = parse_mail(head + "续约".encode("gbk") + b"\n\n" + "退款".encode("gbk"))
    assert (mail.subject, mail.text) == ("续约", "退款")


@pytest.mark.parametrize("name", ["iso-8859-1", "windows-1252", "us-ascii", None, "iso-8859-2", "koi8-r", "gb2312"])
@pytest.mark.parametrize("text", ["Wir kündigen – sofort €", "Größe", "Мы расторгаем договор", "契約更新の件", "🙂"])
def test_valid_utf_8_is_read_as_such_whatever_name_is_given(name: str | None, text: str) -> None:
    assert decode_bytes(text.encode(), name)[0] == text


@pytest.mark.parametrize(
    ("name", "codec", "text"), [("windows-1251", "cp1251", "Ні"), ("gb2312", "gbk", "目录"), ("cp1251", "cp1251", "Да")]
)
def test_a_short_answer_that_looks_like_utf_8_by_chance_is_read_by_its_name(name: str, codec: str, text: str) -> None:
    assert decode_bytes(text.encode(codec), name)[0] == text


def page(header: str, meta: str, codec: str, words: str = "Мы расторгаем договор") -> str:
    html = f"<html><head>{meta}</head><body><p>{words}</p></body></html>".encode(codec)
    head = b"From: a@example.com\nContent-Type: text/html" + header.encode() + b"\n\n"
    return parse_mail(head + html).visible_text


META = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">'


@pytest.mark.parametrize("header", ["", "; charset=us-ascii", "; charset=iso-8859-1", "; charset=nonsense"])
@pytest.mark.parametrize("meta", [META, "<meta charset='cp1251'>", "<META CHARSET=windows-1251>"])
def test_a_page_names_its_encoding_itself(header: str, meta: str) -> None:
    assert page(header, meta, "cp1251") == "Мы расторгаем договор"


@pytest.mark.parametrize("inner", ["iso-8859-1", "utf-8", "nonsense"])
def test_a_usual_name_in_a_page_does_not_outweigh_the_header(inner: str) -> None:
    assert page("; charset=windows-1251", f"<meta charset={inner}>", "cp1251") == "Мы расторгаем договор"


def test_a_page_in_utf_8_is_read_as_such_though_it_names_another_encoding() -> None:
    assert page("", META, "utf-8") == "Мы расторгаем договор"


def test_a_character_cut_between_two_encoded_words_is_read() -> None:
    raw = "契約更新の件".encode()
    first, second = (base64.b64encode(part).decode() for part in (raw[:7], raw[7:]))
    assert decode_words(f"=?UTF-8?B?{first}?=\n =?utf-8?B?{second}?=") == "契約更新の件"


@pytest.mark.parametrize("name", ["nonsense", "hex", "idna", "punycode", "base64", "undefined", "", "x-unknown"])
def test_a_name_that_stands_for_no_text_is_none(name: str) -> None:
    assert codec_of(name) is None


@pytest.mark.parametrize("raw", [b"\x1b$B", b"\x1b$B!", b"\x1b$B\xff\xff", b"\x1b$)C\x0e!", b"\x1b", b"\x1b$(D0"])
def test_torn_escape_sequences_do_no_harm(raw: bytes) -> None:
    assert isinstance(decode_escapes(raw), str)
    assert isinstance(decode_bytes(raw, "iso-2022-jp")[0], str)


UNNAMED = [
    ("cp932", "契約を解約します。①㈱ノースウィンド"),
    ("euc_jp", "契約を解約します、お願いします"),
    ("gb18030", "我们要求退款，请联系我"),
    ("cp950", "我們要求退款，請聯絡我"),
    ("cp949", "계약을 해지하겠습니다"),
    ("cp1251", "Мы расторгаем договор с вами"),
    ("koi8_r", "Мы расторгаем договор с вами"),
    ("cp1252", "Größe kündigen, déçus – 5 €"),
    ("cp1252", "«Où est-il ?» — «Là-bas, à l’hôtel…»"),
]


@pytest.mark.parametrize(("codec", "text"), UNNAMED)
@pytest.mark.parametrize("name", [None, "us-ascii", "ANSI_X3.4-1968", "utf-8", "unknown-8bit"])
def test_letters_show_an_encoding_that_is_not_named_or_wrong(codec: str, text: str, name: str | None) -> None:
    assert decode_bytes(text.encode(codec), name)[0] == text


def test_damaged_utf_8_keeps_its_other_letters() -> None:
    assert decode_bytes("Größe, kündigen: déçus".encode()[:-2] + b"\xff", "utf-8")[0] == "Größe, kündigen: déç\ufffd"


REPORTS = SAMPLE / "7_reports" / "mail"
READ_RIGHT = [
    ("05a-jp-nocharset", "契約更新"),
    ("05b-jp-ms", "契約更新"),
    ("05c-jp-nec", "①契約書の件、㈱"),
    ("06a-gb2312-gbk", "朱镕先生"),
    ("06c-euckr-cp949", "똠방각하 햏"),
    ("06d-iso88598i", "אנחנו"),
    ("06f-utf7", "Wir möchten den Vertrag kündigen"),
    ("06g-xmac", "Nous résilions le contrat – déçus"),
    ("06h-cp8859-1-label-utf8", "Wir kündigen – sofort €"),
    ("06i-html-meta", "Мы расторгаем договор"),
]


@pytest.mark.parametrize(("name", "words"), READ_RIGHT)
def test_the_reported_mails_are_read_right(name: str, words: str) -> None:
    mail = parse_mail((REPORTS / f"{name}.eml").read_bytes())
    assert words in mail.visible_text
    assert "\ufffd" not in mail.visible_text
