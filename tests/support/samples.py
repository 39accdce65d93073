"""Small files of many kinds, made here."""

import io
import zipfile
from collections.abc import Mapping

PDF = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(40)
TEXT = "Ärzte Nord, 18 %\nAcme, 12 %\n".encode()
# The test file that every scanner knows, in two pieces, so that no scanner stops at this file.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def archive(members: Mapping[str, bytes], packed: int = zipfile.ZIP_STORED) -> bytes:
    """A ZIP archive with these members in this order; `packed`: how, one of the ZIP_ constants of zipfile."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return out.getvalue()


WORD = archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"})
EXCEL = archive({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})
MACROS = archive(
    {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>", "word/vbaProject.bin": b"\xcc"}
)
ODT = archive({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"})


def garbled(packed: int) -> bytes:
    """An OpenDocument text whose first member cannot be unpacked: some of its bytes are others."""
    whole = archive({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}, packed)
    begin = whole.index(b"mimetype") + len(b"mimetype") + 9  # behind what an LZMA stream begins with
    return whole[:begin] + b"\xff" * 20 + whole[begin + 20 :]


ZIP = archive({"setup.exe": b"MZ", "readme.txt": b"run it"})
JAR = archive({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0", "Main.class": b"\xca\xfe\xba\xbe"})
EXE = b"MZ\x90\x00\x03\x00\x00\x00" + bytes(60) + b"PE\x00\x00"
OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"  \n<!DOCTYPE html><script>alert(1)</script>"
