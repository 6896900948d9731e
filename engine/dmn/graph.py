"""Who requires whom: references resolved over all loaded models, names under which values are seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.dmn.model import (
    BusinessKnowledgeModel,
    Decision,
    DecisionService,
    Definitions,
    DrgElement,
)
from engine.source import Problem
from engine.text import did_you_mean

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """An element together with the model in which it stands."""

    model: Definitions
    element: DrgElement

    @property
    def variable(self) -> str:
        """The name of its value."""
        return self.element.variable.name


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something that an element requires, and the path of names by which the element speaks of it."""

    node: Node
    path: Path


class Graph:
    """The elements of all models that are loaded together."""

    def __init__(self, models: Mapping[str, Definitions], problems: list[Problem]) -> None:
        self.models, self.problems = models, problems
        self.by_id: dict[tuple[str, str], Node] = {}
        self.by_name: dict[tuple[str, str], Node] = {}
        for namespace, model in models.items():
            for element in model.elements:
                self._index(namespace, Node(model, element))
        self.paths: dict[tuple[str, str], Path | None] = {}
        self._requirements: dict[Node, tuple[Requirement, ...]] = {}

    def _index(self, namespace: str, node: Node) -> None:
        element = node.element
        for index, key in ((self.by_id, element.id), (self.by_name, element.name)):
            if not key:
                continue
            if (before := index.setdefault((namespace, key), node)) is not node:
                other = (("the first", before.element.span),)
                message = f"`{key}` stands for two elements"
                problem = Problem("dmn-duplicate", message, element.span, "Rename one.", related=other)
                self.problems.append(problem)

    def named(self, model: Definitions, name: str) -> Node | None:
        """Return an element by its name, or by `import.name`."""
        wanted = " ".join(name.split())
        if (found := self.by_name.get((model.namespace, wanted))) is not None:
            return found
        for imported in model.imports:
            inner = wanted.removeprefix(f"{imported.name}.") if imported.name else wanted
            found = self.by_name.get((imported.namespace, inner))
            if found is not None and (inner != wanted or not imported.name):
                return found
        return None

    def referred(self, model: Definitions, href: str, by: DrgElement) -> Node | None:
        """Return the element that a reference means; None with a problem if there is none."""
        namespace, hash_sign, key = href.rpartition("#")
        if namespace and namespace not in self.models:
            located = (i.namespace for i in model.imports if i.location and i.location.endswith(namespace))
            namespace = next(located, namespace)
        found = self.by_id.get((namespace or model.namespace, key if hash_sign else href))
        if found is None:
            known = [key for (space, key) in self.by_id if space == (namespace or model.namespace)]
            message = f"`{by.name}` requires `{href}`, and nothing has this id"
            advice = did_you_mean(key, known, of="ids") or "Give the file of the imported model too."
            self.problems.append(Problem("dmn-unknown-reference", message, by.span, advice))
        return found

    def _resolved(self, model: Definitions, hrefs: Sequence[str], by: DrgElement) -> Iterator[Node]:
        for href in hrefs:
            if (node := self.referred(model, href, by)) is not None:
                yield node

    def required(self, node: Node) -> tuple[Requirement, ...]:
        """Return what an element requires directly."""
        if node not in self._requirements:
            element = node.element
            hrefs: tuple[str, ...] = ()
            if isinstance(element, Decision):
                hrefs = tuple(r.href for r in (*element.inputs, *element.knowledge))
            elif isinstance(element, BusinessKnowledgeModel):
                hrefs = tuple(r.href for r in element.knowledge)
            elif isinstance(element, DecisionService):
                hrefs = element.outputs + element.encapsulated + element.input_decisions + element.input_data
            found = self._resolved(node.model, hrefs, element)
            self._requirements[node] = tuple(Requirement(n, self.path(node.model, n)) for n in found)
        return self._requirements[node]

    def path(self, model: Definitions, node: Node) -> Path:
        """Return the names by which a model speaks of an element: those of the imports, then its own."""
        key = (model.namespace, node.model.namespace)
        if key not in self.paths:
            self.paths[key] = self._way(model, node.model.namespace)
        return (*(self.paths[key] or ()), node.variable)

    def _way(self, model: Definitions, namespace: str) -> Path | None:
        queue: deque[tuple[Definitions, Path]] = deque([(model, ())])
        seen = {model.namespace}
        while queue:
            here, path = queue.popleft()
            if here.namespace == namespace:
                return path
            for imported in here.imports:
                if imported.namespace in self.models and imported.namespace not in seen:
                    seen.add(imported.namespace)
                    longer = (*path, imported.name) if imported.name else path
                    queue.append((self.models[imported.namespace], longer))
        return None

    def service(self, node: Node, which: str) -> tuple[Node, ...]:
        """Return one of the lists of a decision service: `outputs`, `input_data`, `input_decisions`."""
        return tuple(self._resolved(node.model, getattr(node.element, which), node.element))

    def in_order(
        self, starts: Iterable[Node], given: frozenset[Node] = frozenset()
    ) -> tuple[list[Node], Node | None]:
        """Return some elements and what they require, directly or not, each behind what it requires.

        What is `given` is not looked into. The second value is an element that requires itself, or None.
        """
        walk = _Walk(self._information, set(given))
        for start in starts:
            walk.through(start)
        return walk.order, walk.cyclic

    def check(self) -> None:
        """Report an element that requires itself; it has no value."""
        nodes = [Node(model, element) for model in self.models.values() for element in model.elements]
        _, cyclic = self.in_order(nodes)
        if cyclic is not None:
            name = cyclic.element.name
            message = f"`{name}` requires itself, directly or through others"
            advice = "Take one of the requirements away."
            self.problems.append(Problem("dmn-cycle", message, cyclic.element.span, advice))

    def _information(self, node: Node) -> tuple[Requirement, ...]:
        """What has a value before an element can: decisions and input data, not functions."""
        functions = BusinessKnowledgeModel | DecisionService
        return tuple(r for r in self.required(node) if not isinstance(r.node.element, functions))


class _Walk:
    """One walk along requirements, depth first; without recursion: a thousand in a row are nothing rare."""

    def __init__(self, below: Callable[[Node], Iterable[Requirement]], done: set[Node]) -> None:
        self.below, self.done = below, done
        self.order: list[Node] = []
        self.cyclic: Node | None = None
        self.open: set[Node] = set()
        self.stack: list[tuple[Node, Iterator[Requirement]]] = []

    def enter(self, node: Node) -> None:
        if node in self.open:
            self.cyclic = self.cyclic or node
        elif node not in self.done:
            self.open.add(node)
            self.stack.append((node, iter(self.below(node))))

    def through(self, start: Node) -> None:
        self.enter(start)
        while self.stack:
            node, rest = self.stack[-1]
            following = next(rest, None)
            if following is not None:
                self.enter(following.node)
                continue
            self.stack.pop()
            self.open.discard(node)
            self.done.add(node)
            self.order.append(node)
