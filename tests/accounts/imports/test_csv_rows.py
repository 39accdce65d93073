"""CSV files as they really come."""

import pytest

from accounts.imports.rules import read_rows


def rows_of(content: bytes) -> list[tuple[int, dict[str, str], str]]:
    return [tuple(row) for row in read_rows(content)[1]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_from_the_header(delimiter: str):
    content = f'id{delimiter}"a,b;c"\nA-1{delimiter}x\n'.encode()
    assert rows_of(content) == [(2, {"id": "A-1", "a,b;c": "x"}, "")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_usual_encodings_are_read(encoding: str):
    headers, rows = read_rows("id,name\n1,Müller & Søn\n".encode(encoding))
    assert headers == ["id", "name"]
    assert next(rows).values["name"] == "Müller & Søn"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp932", "株式会社北風物流"),
        ("gb18030", "北京物流有限公司"),
        ("cp1250", "Żółta Łódź Śląsk"),
        ("cp1251", "Иванов и сыновья"),
        ("cp1252", "Société à r.l. – “Søn”"),
        ("cp1252", "MÜLLER & SÖHNE"),
        ("cp1252", "José"),
        ("cp1252", "ÄÄNI ÅÖ"),
    ],
)
def test_encodings_of_other_regions_are_recognised_and_windows_files_stay_as_they_are(encoding: str, name: str):
    rows = rows_of(f"Account ID,Name,ARR\nA-1,{name},1000\n".encode(encoding))
    assert [values["Name"] for _, values, _ in rows] == [name]


def test_a_byte_that_no_encoding_explains_is_one_odd_letter():
    rows = rows_of(b"id,name\n" + "1,Müller\n".encode("cp1252") + b"2,\xff\x81\x00\xff\n")
    assert len(rows) == 2


def test_ragged_rows_are_problems_of_their_own_and_the_others_come_through():
    rows = rows_of(b"id,name\n1\n2,Acme\n3,Beta,extra\n4,Gamma,,\n")
    assert [line for line, _, problem in rows if problem] == [2, 4]
    assert "1 cells, the header has 2" in rows[0][2]
    assert [values.get("name") for _, values, problem in rows if not problem] == ["Acme", "Gamma"]


def test_the_line_number_is_where_the_row_starts():
    assert [line for line, _, _ in rows_of(b'id,note\n1,"two\nlines"\n\n2,x\n')] == [2, 5]


def test_windows_and_old_mac_line_ends_are_read():
    assert len(rows_of(b"id,name\r\n1,a\r\n2,b\r\n")) == 2
    assert len(rows_of(b"id,name\r1,a\r2,b\r")) == 2


def test_nul_bytes_and_cells_of_a_megabyte_are_read():
    rows = rows_of(b"id,na\x00me\n1," + b"x" * 1_000_000 + b"\n")
    assert len(rows[0][1]["name"]) == 1_000_000


def test_a_quotation_mark_that_is_never_closed_does_not_crash():
    assert all(len(row) == 3 for row in rows_of(b'id,name\n1,"open\n2,b\n3,c\n'))


def test_repeated_and_empty_column_names_stay_apart():
    assert read_rows(b"name,,name\n1,2,3\n")[0] == ["name", "column 2", "name (2)"]


def test_the_delimiter_hint_of_excel_is_followed():
    assert rows_of(b"sep=;\nid;name\n1;a,b\n") == [(3, {"id": "1", "name": "a,b"}, "")]


def test_leading_empty_lines_are_left_out_and_counted():
    assert rows_of(b"\n\nid,name\n1,a\n")[0][0] == 4


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\xef\xbb\xbf", b" , , \n", b"PK\x03\x04zip", b"\xd0\xcf\x11\xe0old"]
)
def test_what_is_no_table_is_refused_with_a_hint(content: bytes):
    with pytest.raises(ValueError, match="file"):
        read_rows(content)


def test_a_header_without_rows_has_no_rows():
    assert rows_of(b"id,name\n") == []
