"""Files to a model that can be evaluated: read, imports found, references resolved, formulas read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.dmn.from_xml import read_definitions
from engine.dmn.graph import Graph
from engine.dmn.limits import LIMITS, DmnLimits
from engine.dmn.linking import Linker, Parsed
from engine.dmn.model import Definitions, Import
from engine.dmn.names import MODEL_NAMESPACES
from engine.dmn.types import Types
from engine.policy import Loaded
from engine.source import Problem, Severity, Span, sort_problems


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model with all that it imports, ready to be evaluated."""

    root: Definitions
    models: Mapping[str, Definitions]
    """All files by namespace, the root among them."""
    graph: Graph
    types: Types
    parsed: Parsed
    """The tree of each formula; one that cannot be read is missing."""


def load_model(files: Mapping[str, bytes], root: str, *, limits: DmnLimits = LIMITS) -> Loaded[Model]:
    """Return the model of a file, with the models that it imports found among the files by their namespace.

    A formula that cannot be read is a warning: it is worth null, as the standard asks. Raises KeyError if
    `root` is not among the files.
    """
    data = files[root]
    if len(files) > limits.files:
        message = f"there are {len(files)} files, more than {limits.files} (limit `files`)"
        return Loaded(None, (Problem("dmn-limit", message, Span(root, 1, 1), "Give only what is imported."),))
    loaded = read_definitions(data, root, limits)
    if loaded.policy is None:
        return Loaded(None, loaded.problems)
    problems = list(loaded.problems)
    library = _Library(files, root, loaded.policy, problems, limits)
    models = library.models
    graph = Graph(models, problems)
    graph.check()
    types = Types(models, problems, limits)
    linker = Linker(models, graph, types, limits, problems)
    model = Model(loaded.policy, models, graph, types, linker.parsed)
    return Loaded(model, sort_problems(problems))


class _Library:
    """The models that a root needs, by namespace; other files are opened only to look for one."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        root: str,
        first: Definitions,
        problems: list[Problem],
        limits: DmnLimits,
    ) -> None:
        self.files, self.problems, self.limits = files, problems, limits
        self.models = {first.namespace: first}
        self.opened: dict[str, Loaded[Definitions]] = {root: Loaded(first, ())}
        waiting = [(first, imported) for imported in first.imports]
        while waiting:
            importer, imported = waiting.pop()
            if imported.namespace in self.models or not self._is_model(imported):
                continue
            found = self._find(importer, imported)
            if found is not None:
                self.models[imported.namespace] = found
                waiting += [(found, inner) for inner in found.imports]

    def _is_model(self, imported: Import) -> bool:
        if imported.import_type in MODEL_NAMESPACES or not imported.import_type:
            return True
        message = f"`{imported.import_type}` is imported, which is no DMN model"
        advice = "Define its types in an item definition."
        problem = Problem("dmn-unsupported", message, imported.span, advice, Severity.WARNING)
        self.problems.append(problem)
        return False

    def _find(self, importer: Definitions, imported: Import) -> Definitions | None:
        location = (imported.location or "").rpartition("/")[2]
        named = [name for name in self.files if name.rpartition("/")[2] == location]
        for names in (sorted(named), sorted(self.files)):
            found = [name for name in names if self._namespace(name) == imported.namespace]
            if len(found) > 1:
                self._doubt(imported, found)
            if found:
                self.problems += self.opened[found[0]].problems
                return self.opened[found[0]].policy
        message = f"`{imported.name or imported.namespace}` is imported, and no file has its namespace"
        advice = f"Give the file whose namespace is `{imported.namespace}` together with `{importer.file}`."
        self.problems.append(Problem("dmn-import", message, imported.span, advice))
        return None

    def _namespace(self, name: str) -> str | None:
        definitions = self._open(name).policy
        return None if definitions is None else definitions.namespace

    def _doubt(self, imported: Import, found: list[str]) -> None:
        others = ", ".join(f"`{name}`" for name in found[1:])
        message = f"`{imported.namespace}` is the namespace of `{found[0]}`, which is taken, and of {others}"
        advice = "Name the file in the import's `locationURI`, or move the others away."
        self.problems.append(Problem("dmn-import", message, imported.span, advice, Severity.WARNING))

    def _open(self, name: str) -> Loaded[Definitions]:
        if name not in self.opened:
            self.opened[name] = read_definitions(self.files[name], name, self.limits)
        return self.opened[name]
