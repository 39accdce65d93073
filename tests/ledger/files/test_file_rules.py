"""Which files are accepted, told by their content, and the names they keep."""

import io
import zipfile

import pytest

from ledger.files.rules.kinds import NotAccepted, kind_of
from ledger.files.rules.names import clean_name
from tests.support import samples


@pytest.mark.parametrize(
    ("data", "name", "content_type"),
    [
        (samples.PDF, "Redline v3.pdf", "application/pdf"),
        (samples.PNG, "shot.PNG", "image/png"),
        (samples.JPEG, "photo.jpeg", "image/jpeg"),
        (samples.JPEG, "saved under another name.png", "image/jpeg"),
        (b"GIF89a" + bytes(20), "x.gif", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(20), "x.webp", "image/webp"),
        (samples.WORD, "contract.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (samples.EXCEL, "sums.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (samples.ODT, "letter.odt", "application/vnd.oasis.opendocument.text"),
        (samples.TEXT, "list.csv", "text/plain"),
        ("Ärger".encode("cp1252"), "old.txt", "text/plain"),
        ("Ärger <b>".encode("utf-16"), "new.txt", "text/plain"),
        (b"\xef\xbb\xbfname;sum\n", "excel.csv", "text/plain"),
        (b"From: a@b.example\r\nSubject: x\r\n\r\n<p>", "mail.eml", "text/plain"),
        (b"<34>Oct 11 22:14:15 host su: failed", "sys.log", "text/plain"),
        (b"<jan@acme.example> wrote", "note.txt", "text/plain"),
    ],
)
def test_a_file_is_what_it_contains(data: bytes, name: str, content_type: str) -> None:
    kind, kept = kind_of(io.BytesIO(data), name)
    assert (kind.content_type, kept) == (content_type, name)


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b"", "empty.txt", "is empty"),
        (samples.EXE, "setup.exe", "not accepted"),
        (samples.EXE, "invoice.pdf", "not accepted"),
        (samples.PDF, "invoice.exe", "is a PDF by its content, but its name ends in .exe"),
        (samples.TEXT, "run.bat", "is a text by its content"),
        (samples.TEXT, "page.html", "is a text by its content"),
        (samples.ZIP, "logs.zip", "is an archive"),
        (samples.ZIP, "contract.docx", "is an archive"),
        (samples.JAR, "app.docx", "is an archive"),
        (samples.EXCEL, "contract.docx", "is an Excel workbook by its content"),
        (samples.MACROS, "contract.docx", "contains macros"),
        (samples.WORD[:-30], "cut.docx", "damaged"),
        (b"PK\x03\x04" + bytes(100), "broken.docx", "damaged"),
        (samples.OLD_WORD, "old.doc", "not accepted"),
        (samples.SVG, "logo.svg", "web page, a drawing or XML"),
        (samples.SVG, "logo.png", "web page, a drawing or XML"),
        (samples.HTML, "page.txt", "web page, a drawing or XML"),
        (samples.HTML.decode().encode("utf-16"), "page.txt", "web page, a drawing or XML"),
        (b"\xef\xbb\xbf<svg xmlns='x'/>", "a.txt", "web page, a drawing or XML"),
        (b"all is well\n" * 9000 + b"\x00\x01", "a.txt", "not accepted"),
        (b"\xff\xfea", "half.txt", "not accepted"),
    ],
)
def test_other_files_are_refused_with_the_reason(data: bytes, name: str, reason: str) -> None:
    with pytest.raises(NotAccepted, match=reason):
        kind_of(io.BytesIO(data), name)


@pytest.mark.parametrize("packed", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_document_that_cannot_be_unpacked_is_refused(packed: int) -> None:
    with pytest.raises(NotAccepted, match="damaged"):
        kind_of(io.BytesIO(samples.garbled(packed)), "letter.odt")


def test_a_directory_that_would_take_all_memory_is_not_read() -> None:
    many = samples.archive({f"word/{number:06}.xml": b"" for number in range(25_000)})
    with pytest.raises(NotAccepted, match="too many files"):
        kind_of(io.BytesIO(many), "many.docx")


def test_a_file_without_an_extension_gets_one() -> None:
    assert kind_of(io.BytesIO(samples.PDF), "Redline")[1] == "Redline.pdf"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Angebot Müller & Söhne (final).pdf", "Angebot Müller & Söhne (final).pdf"),
        ("見積書.xlsx", "見積書.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("a\r\nSet-Cookie: x=1.txt", "aSet-Cookie: x=1.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("..", "file"),
        ("", "file"),
        ("a" * 300 + ".pdf", "a" * 146 + ".pdf"),
    ],
)
def test_names_are_kept_without_what_hides(given: str, name: str) -> None:
    assert clean_name(given) == name
