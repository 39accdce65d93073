"""Names of encodings as mail programs write them, and the Python codec that reads each.

The names are those of the WHATWG Encoding Standard, with what only mail uses (ISO-2022, HZ, UTF-7, numbers of code pages).
They are compared without case, blanks and punctuation. A name stands for the widest encoding that programs send under
it: "gb2312" for GB 18030, "euc-kr" for code page 949, "iso-8859-1" for Windows-1252.
"""

import codecs
import re

_NAMES_BY_CODEC = {
    "utf-8": "utf8 unicode11utf8 unicode20utf8 xunicode20utf8 utf8mb4",
    "utf_16": "utf16 csutf16",
    "utf_16_le": "utf16le csunicode iso10646ucs2 ucs2 unicode unicodefeff",
    "utf_16_be": "utf16be unicodefffe",
    "utf_7": "utf7 unicode11utf7 csunicode11utf7 xunicode20utf7",
    "cp866": "866 cp866 csibm866 ibm866",
    "iso8859_2": "csisolatin2 iso88592 isoir101 iso885921987 l2 latin2",
    "iso8859_3": "csisolatin3 iso88593 isoir109 iso885931988 l3 latin3",
    "iso8859_4": "csisolatin4 iso88594 isoir110 iso885941988 l4 latin4",
    "iso8859_5": "csisolatincyrillic cyrillic iso88595 isoir144 iso885951988",
    "iso8859_6": "arabic asmo708 csiso88596e csiso88596i csisolatinarabic ecma114 iso88596 iso88596e iso88596i isoir127"
    " iso885961987",
    "iso8859_7": "csisolatingreek ecma118 elot928 greek greek8 iso88597 isoir126 iso885971987 suneugreek",
    "iso8859_8": "csiso88598e csisolatinhebrew hebrew iso88598 iso88598e isoir138 iso885981988 visual csiso88598i iso88598i"
    " logical",
    "iso8859_10": "csisolatin6 iso885910 isoir157 l6 latin6",
    "iso8859_13": "iso885913 l7 latin7",
    "iso8859_14": "iso885914 l8 latin8",
    "iso8859_15": "csisolatin9 iso885915 l9 latin9",
    "iso8859_16": "iso885916 l10 latin10",
    "koi8_r": "cskoi8r koi koi8 koi8r",
    "koi8_u": "koi8ru koi8u",
    "mac_roman": "csmacintosh mac macintosh xmacroman macroman xmacintosh",
    "mac_cyrillic": "xmaccyrillic xmacukrainian maccyrillic",
    "mac_greek": "xmacgreek macgreek",
    "mac_turkish": "xmacturkish macturkish",
    "mac_latin2": "xmaccentraleurroman xmacce maclatin2 maccentraleurope",
    "cp874": "dos874 iso885911 tis620 tis6200 tis6202533 windows874",
    "cp1252": "ansix341968 ansix341986 ascii cp819 csisolatin1 ibm819 iso88591 iso885911987 isoir100 l1 latin1 usascii us"
    " iso646us csascii",
    "cp1254": "csisolatin5 iso88599 isoir148 iso885991989 l5 latin5",
    "gb18030": "chinese csgb2312 csiso58gb231280 gb2312 gb231280 gbk isoir58 xgbk gb18030 euccn xeuccn gb180302000 cngb"
    " gb23121980 xmacchinesesimp csgb18030",
    "cp950": "big5 big5hkscs cnbig5 csbig5 xxbig5 xbig5 big5eten big5tw xmacchinesetrad",
    "euc_jp": "cseucpkdfmtjapanese eucjp xeucjp ujis eucjpms eucjpwin xeuc",
    "iso2022_jp": "csiso2022jp iso2022jp iso2022jpms iso2022jp1 csiso2022jp2 iso2022jp2 iso2022jp3 iso2022jp2004"
    " iso2022jpext jis jis7 jis8 iso2022cn csiso2022cn iso2022cnext csiso2022kr iso2022kr",
    "cp932": "csshiftjis ms932 mskanji shiftjis sjis windows31j cswindows31j xsjis shiftjisms xmsjis xmacjapanese",
    "cp949": "cseuckr csksc56011987 euckr isoir149 korean ksc56011987 ksc56011989 ksc5601 ksc windows949 uhc ms949 ksc56011992"
    " xmackorean xwindows949",
    "johab": "johab ksc5601johab",
    "hz": "hzgb2312 hz cshzgb2312 hzgb",
}
_CODECS = {name: codec for codec, names in _NAMES_BY_CODEC.items() for name in names.split()}
_NUMBERED = re.compile(r"x?(?:windows|win|wincp|cp|codepage|cswindows|microsoftcp|ms|ansi|ibm|dos|oem|pc)0*(\d{3,5})")
_CODE_PAGES = {
    "819": "cp1252",
    "874": "cp874",
    "932": "cp932",
    "936": "gb18030",
    "949": "cp949",
    "950": "cp950",
    "951": "cp950",
    "1200": "utf_16_le",
    "1201": "utf_16_be",
    "1361": "johab",
    "10000": "mac_roman",
    "10006": "mac_greek",
    "10007": "mac_cyrillic",
    "10029": "mac_latin2",
    "10081": "mac_turkish",
    "20127": "cp1252",
    "20866": "koi8_r",
    "20936": "gb18030",
    "20932": "euc_jp",
    "21866": "koi8_u",
    "50220": "iso2022_jp",
    "50221": "iso2022_jp",
    "50222": "iso2022_jp",
    "50225": "iso2022_jp",
    "51932": "euc_jp",
    "51936": "gb18030",
    "51949": "cp949",
    "52936": "hz",
    "54936": "gb18030",
    "65000": "utf_7",
    "65001": "utf-8",
} | {f"2859{number}": f"iso8859_{number}" for number in range(2, 9)}
_CODE_PAGES |= {"28591": "cp1252", "28599": "cp1254", "28605": "iso8859_15", "28603": "iso8859_13"}
# Python knows these names, but they are no text, or read other text than they show.
_NO_TEXT = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "utf_8_sig")
# Where a byte from 80 to 9F has no letter in the encoding that is named, the wider one was meant.
_WIDER = {
    "iso8859_2": "cp1250",
    "iso8859_6": "cp1256",
    "iso8859_7": "cp1253",
    "iso8859_8": "cp1255",
    "iso8859_13": "cp1257",
    "cp950": "big5hkscs",
}
_CONTROLS = re.compile(rb"[\x80-\x9f]")

_ASCII = frozenset("ascii usascii us iso646us csascii ansix341968 ansix341986".split())

MANY_BYTES = frozenset({"gb18030", "cp950", "big5hkscs", "euc_jp", "cp932", "cp949", "johab"})
ISO_2022 = "iso2022_jp"
# The names that programs write without looking at the text.
USUAL = frozenset({"cp1252", "utf-8"})

_SHIFT = re.compile(rb"\x1b\$(?:[@AB]|\([A-DOPQ]|[)*][ACGH])|\x1b\(I")
_ESCAPE = re.compile(rb"\x1b(\$[@AB]|\$\([A-DOPQ]|\$[)*][ACGH]|\([ABIJHRT]|\.[AF]|&@)|([\x0e\x0f])")


def codec_of(name: str) -> str | None:
    """The codec for a name of an encoding; None for a name that stands for none."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if plain in _CODECS:
        return _CODECS[plain]
    numbered = _NUMBERED.fullmatch(plain)
    if numbered and numbered[1] in _CODE_PAGES:
        return _CODE_PAGES[numbered[1]]
    for spelling in (name.strip(" \"'"), f"cp{numbered[1]}" if numbered else ""):
        found = _python_codec(spelling)
        if found:
            return found
    return None


def is_ascii(name: str) -> bool:
    """Whether a name says that there are no letters outside ASCII, so that it tells nothing about those that are there."""
    return re.sub(r"[^a-z0-9]", "", name.lower()) in _ASCII


def _python_codec(name: str) -> str | None:
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return None
    plain = info.name.replace("-", "_")
    if plain in _NO_TEXT or not getattr(info, "_is_text_encoding", True):
        return None
    return _CODECS.get(re.sub(r"[^a-z0-9]", "", plain), plain)


def decode(raw: bytes, codec: str) -> str:
    """Raises UnicodeError if `raw` is not text in this encoding."""
    if codec == ISO_2022:
        return decode_escapes(raw)
    if codec == "euc_jp":
        return _euc_jp(raw)
    wider = _WIDER.get(codec)
    if wider and (codec in MANY_BYTES or _CONTROLS.search(raw)):
        try:
            return raw.decode(codec if codec in MANY_BYTES else wider)
        except UnicodeError:
            return raw.decode(wider if codec in MANY_BYTES else codec)
    return raw.decode(codec)


def has_escapes(raw: bytes) -> bool:
    """Whether this is 7-bit text that names its character sets by escape sequences (ISO 2022)."""
    return raw.isascii() and bool(_SHIFT.search(raw))


def decode_escapes(raw: bytes) -> str:
    """Text of ISO-2022-JP, with the characters of NEC, IBM and JIS X 0213, of ISO-2022-KR and of ISO-2022-CN. Bytes that stand
    for no character become U+FFFD."""
    text: list[str] = []
    set_now, shifted, is_shifted, at = b"(B", b"$)C", False, 0
    for escape in _ESCAPE.finditer(raw):
        text.append(_in_set(raw[at : escape.start()], shifted if is_shifted else set_now))
        at = escape.end()
        name, shift = escape.groups()
        if shift:
            is_shifted = shift == b"\x0e"
        elif name[:2] in (b"$)", b"$*"):
            shifted = name
        elif name[:1] in (b"$", b"("):
            set_now, is_shifted = name, False
    text.append(_in_set(raw[at:], shifted if is_shifted else set_now))
    return "".join(text)


def _in_set(raw: bytes, name: bytes) -> str:
    if name[:1] == b"$":
        return "".join(
            piece.decode("ascii") if index % 2 else _pairs(piece, name)
            for index, piece in enumerate(re.split(rb"([\r\n\t ]+)", raw))
        )
    if name == b"(I":
        return bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in raw).decode("cp932", "replace")
    return raw.decode("cp932", "replace")


def _pairs(raw: bytes, name: bytes) -> str:
    high = bytes(byte | 0x80 for byte in raw)
    if name[-1:] == b"A":
        return high.decode("gb18030", "replace")
    if name[-1:] == b"C":
        return high.decode("cp949", "replace")
    couples = [high[at : at + 2] for at in range(0, len(high), 2)]
    if name[-1:] in b"OQ":
        return high.decode("euc_jis_2004", "replace")
    if name[-1:] in b"DP":
        codec = "euc_jp" if name[-1:] == b"D" else "euc_jis_2004"
        return b"".join(b"\x8f" + couple for couple in couples).decode(codec, "replace")
    return "".join(_jis(couple) for couple in couples)


def _jis(couple: bytes) -> str:
    """Two bytes of EUC-JP, read by the table of Windows, which has the characters of NEC and IBM too."""
    if len(couple) < 2 or couple[0] < 0xA1 or couple[1] < 0xA1:
        return "\ufffd"
    row, cell = couple[0] - 0xA1, couple[1] - 0xA1
    lead = (row >> 1) + (0x81 if row < 62 else 0xC1)
    trail = cell + (0x9F if row % 2 else 0x40 + (cell >= 63))
    try:
        return bytes((lead, trail)).decode("cp932")
    except UnicodeError:
        return couple.decode("euc_jis_2004", "replace")


_EUC = re.compile(rb"[\x00-\x7f]+|\x8e[\xa1-\xdf]|\x8f[\xa1-\xfe]{2}|[\xa1-\xfe]{2}")


def _euc_jp(raw: bytes) -> str:
    text, at = [], 0
    while at < len(raw):
        piece = _EUC.match(raw, at)
        if not piece:
            raise UnicodeDecodeError("euc_jp", raw, at, at + 1, "no character")
        couple, at = piece.group(), piece.end()
        wide = couple[0] >= 0xA1
        text.append(_jis(couple) if wide else couple.decode("euc_jp", "replace"))
    return "".join(text)
