"""Policies, law packs, calendars and portfolios as they lie in folders, for commands that read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from api.cli.frame import Trouble
from engine.policy import Loaded
from engine.source import Problem, Span
from engine.text import MapNode, Node, ScalarNode, did_you_mean, read_yaml

ROOT = "policy.yaml"
CASES = "cases.yaml"
CSV_CASES = "cases.csv"
"""More cases of a credit policy, as rows of a table."""
LARGEST = 16 * 1024 * 1024
"""Bytes of the largest file that is taken for a text of a policy."""

What = Literal["credit", "collections", "watch", "law", "calendar", "portfolio", "unknown"]
KINDS: tuple[What, ...] = ("credit", "collections", "watch")
"""What a policy says with `kind:`; law packs, calendars and portfolios are known by their first key."""
_ADVICE = "a policy says `kind: credit`, `collections` or `watch`, a law pack `law:`, a calendar `calendar:`"


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """One policy (or law pack, calendar, portfolio) with its texts, by their path beside its main file."""

    what: What
    folder: Path
    root: str
    texts: dict[str, bytes] = field(hash=False)
    problems: tuple[Problem, ...] = ()
    """Why it cannot be told what this is."""

    @property
    def path(self) -> Path:
        """Its main file."""
        return self.folder / self.root

    @property
    def cases(self) -> bytes | None:
        """Its cases, if it has any beside it."""
        return self.texts.get(CASES)

    @property
    def case_file(self) -> Path | None:
        """The file of its cases; a credit policy may have all of them as rows of a table."""
        names = (CASES, CSV_CASES) if self.what == "credit" else (CASES,)
        return next((self.folder / name for name in names if name in self.texts), None)

    def located(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Return problems with their places as paths from where the command was called."""
        return tuple(
            replace(p, span=self._at(p.span), related=tuple((note, self._at(s)) for note, s in p.related))
            for p in problems
        )

    def sources(self) -> dict[str, str]:
        """Return the texts by the paths that `located` gives, for showing lines."""
        return {
            str(self.folder / name): data.decode("utf-8-sig", errors="replace")
            for name, data in self.texts.items()
        }

    def _at(self, span: Span) -> Span:
        """Return a place as a path from where the command was called; a file beside the policy has one."""
        return replace(span, file=str(self.folder / span.file)) if span.file in self.texts else span


def find_policies(paths: Iterable[Path]) -> list[PolicyFiles]:
    """Return what lies under the given files and folders, in order of path, each once."""
    found: dict[Path, PolicyFiles] = {}
    for path in paths:
        if not path.exists():
            raise Trouble(f"There is no `{path}`. Give a policy's folder, or a folder of policies.")
        before = len(found)
        for one in _under(path):
            found.setdefault(one.path, one)
        if len(found) == before and not found:
            raise Trouble(f"`{path}` holds no policy: there is no `{ROOT}` in it or below it.")
    return list(found.values())


def _under(path: Path) -> Iterator[PolicyFiles]:
    if path.is_file():
        yield from _policy_of(path) if path.name in (ROOT, CASES) else _single(path)
    elif (path / ROOT).is_file():
        yield from _policy_of(path / ROOT)
    else:
        for child in sorted(path.iterdir()):
            if child.name.startswith("."):
                continue
            if child.is_dir():
                yield from _under(child)
            elif child.suffix == ".yaml":
                yield from _single(child)


def _policy_of(path: Path) -> Iterator[PolicyFiles]:
    folder = path.parent
    texts = {
        file.relative_to(folder).as_posix(): _read(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    }
    if ROOT not in texts:
        raise Trouble(f"There is no `{folder / ROOT}`.")
    yield _classified(folder, ROOT, texts)


def _single(path: Path) -> Iterator[PolicyFiles]:
    yield _classified(path.parent, path.name, {path.name: _read(path)})


def _read(path: Path) -> bytes:
    if path.stat().st_size > LARGEST:
        raise Trouble(f"`{path}` has more than {LARGEST:,} bytes; it is no text of a policy.")
    return path.read_bytes()


def _classified(folder: Path, root: str, texts: dict[str, bytes]) -> PolicyFiles:
    loaded: Loaded[Node] = read_yaml(texts[root], root)
    what, problems = _what(loaded.policy, root) if loaded.policy else ("unknown", loaded.problems)
    return PolicyFiles(what, folder, root, texts, problems)


def _what(node: Node, root: str) -> tuple[What, tuple[Problem, ...]]:
    if not isinstance(node, MapNode):
        return "unknown", (Problem("unknown-kind", f"`{root}` is no map of keys", node.span, _ADVICE),)
    kind = node.get("kind")
    if isinstance(kind, ScalarNode):
        known = next((word for word in KINDS if word == kind.text), None)
        if known is not None:
            return known, ()
        advice = did_you_mean(kind.text, KINDS, of="kinds of policies")
        return "unknown", (Problem("unknown-kind", f"`{kind.text}` is no kind of policy", kind.span, advice),)
    if node.get("law"):
        return "law", ()
    if node.get("calendar"):
        return "calendar", ()
    if node.get("collections") or node.get("credit"):
        return "portfolio", ()
    return "unknown", (Problem("unknown-kind", f"nothing says what `{root}` is", node.span, _ADVICE),)


def one_policy(path: Path) -> PolicyFiles:
    """Return the one policy at a path: its folder, or its main file."""
    found = find_policies([path])
    if len(found) != 1:
        raise Trouble(f"`{path}` holds {len(found)} policies. Give the folder of one of them.")
    if found[0].what == "unknown":
        raise Trouble(f"`{found[0].path}` is no policy; `forbear check {path}` says why.")
    return found[0]
