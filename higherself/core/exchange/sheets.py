"""CSV and XLSX, row by row, in both directions."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from django.utils.translation import gettext as _
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from higherself.core.errors import Permanent

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 100_000
# An XLSX is a ZIP file: so much may come out of it.
_MOST_UNPACKED = 400 * 1024 * 1024
# A spreadsheet program takes a cell that begins so for a formula (OWASP: CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe(value: Any) -> Any:
    """A cell that no spreadsheet program calculates. Numbers stay numbers."""
    if isinstance(value, str):
        text = ILLEGAL_CHARACTERS_RE.sub("", value)
        return f"'{text}" if text.startswith(_FORMULA) else text
    return value


def unsafe(text: str) -> str:
    """The text that `safe` has made a cell of."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


# -- out ------------------------------------------------------------------------------------------------------------
class _Line:
    """What `csv` writes to: it hands each line straight on."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """A CSV file piece by piece; with a mark that tells Excel that it is UTF-8."""
    writer = csv.writer(_Line())
    yield b"\xef\xbb\xbf"
    for row in rows:
        yield writer.writerow([safe(value) for value in row]).encode()


def write_xlsx(rows: Iterable[Sequence[Any]], target: IO[bytes]) -> None:
    """Writes row by row into a temporary file of the library; memory does not grow with the rows."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Records")
    for row in rows:
        sheet.append([safe(value) for value in row])
    book.save(target)


# -- in -------------------------------------------------------------------------------------------------------------
def read(name: str, content: bytes) -> Iterator[list[str]]:
    """The rows of a file as texts, the heading first. Raises `Permanent` with what to do."""
    if len(content) > MOST_BYTES:
        raise Permanent(_("The file is larger than %(n)d MB: split it.") % {"n": MOST_BYTES // 1024 // 1024})
    rows = _read_xlsx(content) if name.lower().endswith((".xlsx", ".xlsm")) else _read_csv(content)
    for number, row in enumerate(rows):
        if number > MOST_ROWS:
            raise Permanent(_("The file has more than %(n)d rows: split it.") % {"n": MOST_ROWS})
        yield row


def _read_csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Permanent(_("The file is not UTF-8 text: save it as “CSV UTF-8”, or as XLSX.")) from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            yield [unsafe(cell.strip()) for cell in row]
    except csv.Error as error:
        raise Permanent(_("The file is no CSV: %(reason)s.") % {"reason": error}) from error


def _read_xlsx(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(item.file_size for item in archive.infolist()) > _MOST_UNPACKED:
                raise Permanent(_("The file unpacks to too much: split it."))
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except Permanent:
        raise
    except Exception as error:  # the library raises whatever a broken part makes it stumble over
        raise Permanent(_("The file is no XLSX workbook: %(reason)s.") % {"reason": error}) from error
    sheet = book.worksheets[0]
    for row in sheet.iter_rows(values_only=True):
        yield [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return unsafe(str(value).strip())
