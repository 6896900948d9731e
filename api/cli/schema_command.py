"""`forbear schema`: the JSON Schemas of policy files, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from api.cli.check_command import counted
from api.cli.frame import FINDINGS, OK
from api.cli.replacing import replace_file
from api.importer.schema import mapping_schema
from engine.schemas import schemas


@click.command("schema")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("policies/schema"))
@click.option("--check", is_flag=True, help="Change nothing; end with 1 if a file is not up to date.")
def command(folder: Path, check: bool) -> int:
    """Write to FOLDER the JSON Schemas of policies, law packs, calendars, the portfolio, cases and mappings.

    Editors that know YAML complete and check a policy by the line at its top:
    `# yaml-language-server: $schema=../schema/policy.json`.

    \b
    Example:
      forbear schema policies/schema
    """
    old = []
    known = schemas() | {"mapping": mapping_schema()}
    for name, schema in known.items():
        path = folder / f"{name}.json"
        data = (json.dumps(schema, ensure_ascii=False, indent=1) + "\n").encode()
        if not path.exists() or path.read_bytes() != data:
            old.append(path)
            if not check:
                folder.mkdir(parents=True, exist_ok=True)
                replace_file(path, data)
    for path in old:
        click.echo(f"{path}: {'is not up to date' if check else 'written'}")
    click.echo(f"{counted(len(known), 'schema', 'schemas')}, {len(old)} {'old' if check else 'written'}.")
    return FINDINGS if check and old else OK
