"""Refused lines as a file: what to mend, why, and in a form that the same mapping reads again."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Mapping, Sequence

from api.importer.mapping import LINE, NTH, FileMapping
from api.importer.report import Reject

REFUSED = "#refused"
"""The column, or key, that says why."""


class NamesByCount(Exception):
    """The mapping names things by `{#nth}`, which is counted over the whole file."""

    def __init__(self) -> None:
        super().__init__(
            "The mapping names things by `{#nth}`, which counts equal lines of the whole file. Mend the file "
            "itself and import it whole: what is stored is found by its name and changes nothing."
        )


def rejected_file(mapping: FileMapping, heading: Sequence[str], rejects: Sequence[Reject]) -> bytes:
    """Return the refused lines as a file in the form of the one that they come from.

    Before the cells of the file stand `#line` (where it stood) and `#refused` (why). Of a line that could
    not be read, only these are known. Raises NamesByCount: mended lines would take the names of others.
    """
    if mapping.reads(NTH):
        raise NamesByCount
    by_line: dict[int, list[Reject]] = {}
    for reject in rejects:
        by_line.setdefault(reject.line, []).append(reject)
    text = _csv(mapping, heading, by_line) if mapping.format == "csv" else _ndjson(by_line)
    return text.encode(codecs.lookup(mapping.encoding).name, "backslashreplace")


def _why(rejects: Sequence[Reject]) -> str:
    return " | ".join(dict.fromkeys(reject.reason for reject in rejects))


def _csv(mapping: FileMapping, heading: Sequence[str], by_line: Mapping[int, list[Reject]]) -> str:
    out = io.StringIO(newline="")
    out.write("\n" * mapping.skip)
    writer = csv.writer(out, delimiter=mapping.delimiter, lineterminator="\n")
    own = (LINE, REFUSED)
    writer.writerow([*own, *(name for name in heading if name not in own)])
    for number, rejects in sorted(by_line.items()):
        said = rejects[0].said
        if len(said) == len(heading):
            said = tuple(cell for name, cell in zip(heading, said, strict=True) if name not in own)
        writer.writerow([number, _why(rejects), *said])
    return out.getvalue()


def _ndjson(by_line: Mapping[int, list[Reject]]) -> str:
    lines = []
    for number, rejects in sorted(by_line.items()):
        said = rejects[0].said[0] if rejects[0].said else ""
        own = {LINE: str(number), REFUSED: _why(rejects)}
        before = json.dumps(own, ensure_ascii=False)
        inner = said.strip()
        if not _is_object(inner):
            lines.append(inner or before)  # what is no object is kept as it is, and refused again
        elif any(f'"{name}"' in inner for name in own):
            lines.append(inner)  # it came from such a file
        else:
            rest = inner[1:].lstrip()
            lines.append(before[:-1] + ("" if rest.startswith("}") else ", ") + rest)
    return "".join(f"{line}\n" for line in lines)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text, parse_int=str, parse_float=str), dict)
    except (ValueError, RecursionError):
        return False
