"""Refused lines as a file: each with its line and why; mended, the same mapping takes them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, run
from api.importer import OfflineLedger, load_mapping, rejected_file, run_import
from api.importer.rejected import NamesByCount
from tests.api.importer.offline import AT, mapping

USING = """mapping: x
{more}
rows:
  - account: {{id: "A{{a}}", customer: "C{{a}}", currency: EUR, timezone: UTC}}
  - bill: {{account: "A{{a}}", id: "{{id}}", value_date: "{{d}}", due_date: 2026-12-31, amount: "{{x}}"}}
  - payment: {{account: "A{{a}}", id: "P{{id}}", value_date: "{{d}}", amount: "{{x}}",
              method: "l{{#line}}"}}
    when: {{kind: P}}
"""
LINES = [
    ["1", "B1", "2026-01-31", "5.00", ""],
    ["1", "B2", "2026-02-31", "6.00", ""],
    ["2", "B3", "2026-01-31", "7,00", 'a, quoted \n "line"'],
    ["2", "B4", "2026-01-31", "9.00", "P"],
    ["2", "B5", "2026-01-31", "oops", "P"],
    ["3", "B6", "2026-01-31", "8.00", "\u00fc"],
]


def csv_of(lines: list[list[str]], delimiter: str) -> str:
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in line] for line in lines]
    return "".join(delimiter.join(line) + "\r\n" for line in [["a", "id", "d", "x", "kind"], *quoted])


def ndjson_of(lines: list[list[str]]) -> str:
    keys = ["a", "id", "d", "x", "kind"]
    return "".join(json.dumps(dict(zip(keys, line, strict=True))) + "\n" for line in lines)


MORE = {
    "csv": "", "semicolon": 'delimiter: ";"\nskip: 2', "utf-16": "encoding: utf-16\ndelimiter: tab",
    "latin-1": "encoding: latin-1", "ndjson": "format: ndjson",
}  # fmt: skip


@pytest.mark.parametrize("form", MORE)
def test_mended_lines_complete_the_import(form: str) -> None:
    using = mapping(USING.format(more=MORE[form]))
    delimiter = {"semicolon": ";", "utf-16": "\t"}.get(form, ",")
    text = ndjson_of(LINES) if form == "ndjson" else "\n" * using.skip + csv_of(LINES, delimiter)
    ledger = OfflineLedger(AT)
    first = run_import(using, io.BytesIO(text.encode(using.encoding)), ledger.post)
    assert len({reject.line for reject in first.rejects}) == 3
    refused = rejected_file(using, first.heading, first.rejects).decode(using.encoding)
    again = run_import(using, io.BytesIO(refused.encode(using.encoding)), ledger.post)
    assert [r.message for r in again.rejects] == [r.message for r in first.rejects]
    mended = refused.replace("2026-02-31", "2026-02-28").replace("7,00", "7.00")
    mended = mended.replace('"x": "oops"', '"x": "9.50"')
    mended = mended.replace(f"{delimiter}oops{delimiter}", f"{delimiter}9.50{delimiter}")
    last = run_import(using, io.BytesIO(mended.encode(using.encoding)), ledger.post)
    assert last.rejects == []
    assert {e.id for entries in ledger.entries.values() for e in entries} >= {f"B{n}" for n in range(1, 7)}


def test_names_that_are_counted_over_the_whole_file_are_mended_there() -> None:
    using = mapping(
        "mapping: x\nrows:\n"
        '  - payment: {account: "A{a}", id: "P{x}-{#nth}", value_date: 2026-01-31, amount: "{x}",\n'
        '              received_at: "{r}"}\n'
    )
    ledger = OfflineLedger(AT)
    text = "a,x,r\n1,5.00,2026-02-01\n1,5.00,nie\n1,5.00,nie\n"
    first = run_import(using, io.BytesIO(text.encode()), ledger.post)
    with pytest.raises(NamesByCount, match="import it whole"):
        rejected_file(using, first.heading, first.rejects)
    whole = run_import(using, io.BytesIO(text.replace("nie", "2026-02-01").encode()), ledger.post)
    assert (whole.stored, whole.already, whole.rejects) == (2, 1, [])


def test_a_line_keeps_its_number_in_the_first_file() -> None:
    using = mapping(USING.format(more=""))
    ledger = OfflineLedger(AT)
    first = run_import(using, io.BytesIO(csv_of(LINES, ",").encode()), ledger.post)
    mended = rejected_file(using, first.heading, first.rejects).decode().replace(",oops,", ",9.50,")
    run_import(using, io.BytesIO(mended.encode()), ledger.post)
    methods = [e.method for e in ledger.entries["A2"] if e.kind == "payment"]
    assert methods == ["l6", "l7"]  # where they stood in the first file


def test_a_line_that_could_not_be_read_is_named_and_never_taken(tmp_path: Path) -> None:
    using = mapping('mapping: x\nencoding: latin-1\nrows:\n  - customer: {id: "{id}", name: "{n}"}\n')
    text = b'id,n\nC1,"a\nC2,b\n'
    first = run_import(using, io.BytesIO(text), OfflineLedger(AT).post)
    refused = rejected_file(using, first.heading, first.rejects)
    assert refused.decode() == (
        "#line,#refused,id,n\n"
        '2,"line: the line cannot be read, and with it what follows up to line 3: the file ends within '
        'quotes. Close them, or ask for the whole file again."\n'
    )
    again = run_import(using, io.BytesIO(refused), OfflineLedger(AT).post)
    assert [reject.line for reject in again.rejects] == [2]


def test_the_command_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.yaml").write_text('mapping: x\nrows:\n  - customer: {id: "{id}", since: "{s}"}\n')
    file, out = tmp_path / "f.csv", tmp_path / "refused.csv"
    file.write_text("id,s\nC1,2020-01-01\nC2,never\n")
    line = ["import", str(file), "--mapping", str(tmp_path / "m.yaml"), "--dry-run", "--data", str(tmp_path)]
    assert run(forbear, [*line, "--rejects", str(out)]) == FINDINGS
    assert f"The refused lines are in {out}." in capsys.readouterr().out
    assert out.read_text() == (
        "#line,#refused,id,s\n"
        "3,column `s` (customer): `never`: this is not a day written as `%Y-%m-%d`. Set `dates` in the "
        "mapping.,C2,never\n"
    )
    out.write_text(out.read_text().replace("C2,never", "C2,2020-01-02"))
    assert run(forbear, ["import", str(out), *line[2:]]) == OK
    assert run(forbear, [*line, "--rejects", str(file)]) == 2
    assert load_mapping((tmp_path / "m.yaml").read_bytes(), "m").policy is not None
