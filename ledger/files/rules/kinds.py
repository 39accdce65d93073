"""The kinds of files that are accepted. The content decides the kind, and the name must fit it."""

import codecs
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from lzma import LZMAError
from typing import BinaryIO

from ledger.files.rules.names import extension

CHUNK = 64 * 1024
# A directory of an office file is far smaller; reading a larger one could take all memory.
LONGEST_DIRECTORY = 1024 * 1024
MOST_BYTES_OF_MIMETYPE = 100
# What Python raises for an archive that is cut, garbled, encrypted, or packed in a way that it does not know.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
# A text that a browser would show as a page or a drawing.
_MARKUP = re.compile(r"\s*<(?:[!?]|[a-z][\w:.-]*[\s/>])", re.IGNORECASE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class NotAccepted(ValueError):
    """The file is not accepted; the message continues a sentence that begins with its name."""


@dataclass(frozen=True)
class Kind:
    """One accepted kind. The first extension is given to a file without one."""

    label: str
    content_type: str
    extensions: tuple[str, ...]


_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
PICTURE_NAMES = ("png", "jpg", "jpeg", "jfif", "gif", "webp", "heic")
PDF = Kind("a PDF", "application/pdf", ("pdf",))
TEXT = Kind("a text", "text/plain", ("txt", "csv", "tsv", "log", "md", "json", "ics", "vcf", "eml"))
WORD = Kind("a Word document", _OOXML + "wordprocessingml.document", ("docx",))
EXCEL = Kind("an Excel workbook", _OOXML + "spreadsheetml.sheet", ("xlsx",))
SLIDES = Kind("a PowerPoint presentation", _OOXML + "presentationml.presentation", ("pptx",))


def _picture(label: str, content_type: str, own: str) -> Kind:
    # Programs often save one kind of picture under the name of another, which does no harm.
    return Kind(label, content_type, (own, *(each for each in PICTURE_NAMES if each != own)))


# Where the mark stands, the mark, the kind.
_MARKS: tuple[tuple[int, bytes, Kind], ...] = (
    (0, b"%PDF-", PDF),
    (0, b"\x89PNG\r\n\x1a\n", _picture("a PNG picture", "image/png", "png")),
    (0, b"\xff\xd8\xff", _picture("a JPEG picture", "image/jpeg", "jpg")),
    (0, b"GIF87a", _picture("a GIF picture", "image/gif", "gif")),
    (0, b"GIF89a", _picture("a GIF picture", "image/gif", "gif")),
    (8, b"WEBPVP8", _picture("a WebP picture", "image/webp", "webp")),
    (4, b"ftypheic", _picture("a HEIC picture", "image/heic", "heic")),
    (4, b"ftypmif1", _picture("a HEIC picture", "image/heic", "heic")),
)
_OFFICE_FOLDERS = {"word/document.xml": WORD, "xl/workbook.xml": EXCEL, "ppt/presentation.xml": SLIDES}
_OPEN_DOCUMENTS = {
    _ODF + "text": Kind("an OpenDocument text", _ODF + "text", ("odt",)),
    _ODF + "spreadsheet": Kind("an OpenDocument spreadsheet", _ODF + "spreadsheet", ("ods",)),
    _ODF + "presentation": Kind("an OpenDocument presentation", _ODF + "presentation", ("odp",)),
}
ACCEPTED = (
    "PDF, Word, Excel, PowerPoint, OpenDocument, pictures (PNG, JPEG, GIF, WebP, HEIC) "
    "and texts (txt, csv, md, json, eml)"
)
_OTHER = f"is of a kind that is not accepted. Accepted are {ACCEPTED}."


def accepted_names() -> str:
    """The extensions for the file chooser of a browser."""
    kinds = [PDF, TEXT, WORD, EXCEL, SLIDES, *_OPEN_DOCUMENTS.values()]
    names = [name for kind in kinds for name in kind.extensions]
    return ",".join(f".{name}" for name in (*names, *PICTURE_NAMES))


def kind_of(file: BinaryIO, name: str) -> tuple[Kind, str]:
    """The kind of an open file by its content, and its name, with an extension if it had none. Raises NotAccepted."""
    kind = _by_content(file)
    end = extension(name)
    if not end:
        return kind, f"{name}.{kind.extensions[0]}"
    if end not in kind.extensions:
        raise NotAccepted(f"is {kind.label} by its content, but its name ends in .{end}. Save it with its right name.")
    return kind, name


def _by_content(file: BinaryIO) -> Kind:
    file.seek(0)
    head = file.read(512)
    if not head:
        raise NotAccepted("is empty.")
    for place, mark, kind in _MARKS:
        if head.startswith(mark, place):
            return kind
    if head.startswith(b"PK"):
        return _office(file)
    if _is_text(file):
        return TEXT
    raise NotAccepted(_OTHER)


def _office(file: BinaryIO) -> Kind:
    """The office format of a file in ZIP format. A plain archive is refused, and so are macros."""
    _check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            declared = _declared(archive)
    except _DAMAGED as error:
        raise NotAccepted("is damaged: it cannot be opened as a document.") from error
    if any(name.lower().endswith("vbaproject.bin") or name.startswith(("Basic/", "Scripts/")) for name in names):
        raise NotAccepted("contains macros. Save it without them.")
    if kind := _OPEN_DOCUMENTS.get(declared):
        return kind
    for member, kind in _OFFICE_FOLDERS.items():
        if member in names and "[Content_Types].xml" in names:
            return kind
    raise NotAccepted("is an archive. Attach the files that are in it.")


def _check_directory(file: BinaryIO) -> None:
    size = file.seek(0, 2)
    file.seek(max(0, size - 65_557))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        raise NotAccepted("is damaged: it cannot be opened as a document.")
    (length,) = struct.unpack_from("<I", tail, end + 12)
    if length > LONGEST_DIRECTORY:
        raise NotAccepted("is an archive of too many files.")


def _declared(archive: zipfile.ZipFile) -> str:
    """What an OpenDocument file says it is, in its first member."""
    members = archive.infolist()
    if not members or members[0].filename != "mimetype" or members[0].file_size > MOST_BYTES_OF_MIMETYPE:
        return ""
    return archive.read(members[0]).decode("ascii", "replace").strip()


def _is_text(file: BinaryIO) -> bool:
    """Whether all of it is text: UTF-8, UTF-16 with its mark, or one byte a character without control characters. Raises
    NotAccepted for text that is a page or a drawing."""
    file.seek(0)
    head = file.read(CHUNK)
    coding = "utf-16" if head.startswith(_UTF_16) else "utf-8-sig"
    if _MARKUP.match(head.decode(coding, "replace").lstrip("\ufeff\x00 \t\r\n")):
        raise NotAccepted(f"is a web page, a drawing or XML, which is not accepted. Accepted are {ACCEPTED}.")
    file.seek(0)
    if coding == "utf-16":
        return _decodes(file, coding)
    while chunk := file.read(CHUNK):
        if _CONTROLS.search(chunk):
            return False
    return True


def _decodes(file: BinaryIO, coding: str) -> bool:
    decoder = codecs.getincrementaldecoder(coding)()
    try:
        while chunk := file.read(CHUNK):
            if "\x00" in decoder.decode(chunk):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
