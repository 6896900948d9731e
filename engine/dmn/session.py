"""The elements of a model in one evaluation: inputs taken, decisions made, functions given (7.1, 10.4)."""

from __future__ import annotations

from collections.abc import Mapping

from engine.dmn.boxed import Boxes, structure
from engine.dmn.graph import Node
from engine.dmn.model import BusinessKnowledgeModel, Decision, DecisionService, InputData
from engine.dmn.run import STACK, Run
from engine.feel.interpreter import Scope
from engine.feel.values import UserFunction, Value
from engine.text import did_you_mean


class Session:
    """Values of elements that are known in one evaluation; a decision service opens one of its own."""

    def __init__(self, run: Run, given: dict[Node, Value]) -> None:
        self.run, self.graph = run, run.model.graph
        self.values: dict[Node, Value] = given
        self.given = frozenset(given)
        self.functions: dict[Node, Value] = {}

    # --- inputs -----------------------------------------------------------------------------------

    def give(self, inputs: Mapping[str, Value]) -> None:
        """Take values for input data and decisions by name."""
        for name, value in inputs.items():
            node = self._input(name)
            if node is None:
                nodes = self.graph.by_name.values()
                known = [n.element.name for n in nodes if isinstance(n.element, InputData)]
                advice = did_you_mean(name, known, of="inputs")
                root = self.run.model.root.span
                self.run.warn("unknown-input", f"no input is called `{name}`", root, advice)
            else:
                self.values[node] = self._bound(node, value)
        self.given = frozenset(self.values)

    def _input(self, name: str) -> Node | None:
        if name.startswith("{"):
            namespace, _, local = name[1:].partition("}")
            return self.graph.by_name.get((namespace, local))
        found = self.graph.named(self.run.model.root, name)
        if found is None:
            elsewhere = [node for (_, key), node in self.graph.by_name.items() if key == name]
            found = elsewhere[0] if len(elsewhere) == 1 else None
        return found

    def _bound(self, node: Node, value: Value) -> Value:
        """Return a value as the variable of an element may hold it."""
        boxes = Boxes(self.run, node.model)
        variable = node.element.variable
        return self.run.member(value, boxes.type_of(variable), f"`{node.element.name}`", variable.span)

    # --- decisions --------------------------------------------------------------------------------

    def decided(self, node: Node) -> Value:
        """Return the value of a decision or input data."""
        if node not in self.values:
            order, cyclic = self.graph.in_order((node,), self.given)
            if cyclic is not None:
                message = f"`{cyclic.element.name}` requires itself, directly or through others"
                self.run.warn("dmn-cycle", message, cyclic.element.span)
                return None
            for step in order:
                if step not in self.values:
                    self.values[step] = self._decide(step)
        return self.values[node]

    def _decide(self, node: Node) -> Value:
        element = node.element
        if isinstance(element, Decision):
            if element.expression is None:
                self.run.warn("no-logic", f"`{element.name}` has no logic, so it is null", element.span)
            scope = Scope(self.visible(node), self.run.base)
            value = Boxes(self.run, node.model).value(element.expression, scope)
            return self._bound(node, value)
        self.run.warn("missing-input", f"`{element.name}` is not given, so it is null", element.span)
        return None

    def visible(self, node: Node) -> dict[str, Value]:
        """Return what the logic of an element sees by name; elements of imported models in a context each."""
        seen: dict[str, Value] = {}
        for requirement in self.graph.required(node):
            inner = seen
            for name in requirement.path[:-1]:
                below = inner.setdefault(name, {})
                if not isinstance(below, dict):
                    break
                inner = below
            element = requirement.node.element
            functional = isinstance(element, BusinessKnowledgeModel | DecisionService)
            value = self.function(requirement.node) if functional else self.decided(requirement.node)
            inner[requirement.path[-1]] = value
        return seen

    # --- functions --------------------------------------------------------------------------------

    def function(self, node: Node) -> Value:
        """Return a business knowledge model or a decision service as a function."""
        if node not in self.functions:
            service = isinstance(node.element, DecisionService)
            self.functions[node] = self._service(node) if service else self._knowledge(node)
        return self.functions[node]

    def _knowledge(self, node: Node) -> Value:
        element = node.element
        if not isinstance(element, BusinessKnowledgeModel) or element.logic is None:
            self.run.warn("no-logic", f"`{element.name}` has no logic, so it is null", element.span)
            return None
        boxes = Boxes(self.run, node.model)
        around: dict[str, Value] = {}
        inner = boxes.function(element.logic, Scope(around, self.run.base), element.name)
        if not isinstance(inner, UserFunction):
            return None
        result = boxes.result_of(element.variable)
        body = inner.call

        def called(arguments: dict[str, Value]) -> Value:
            if not around:
                around.update({node.variable: self.functions[node], **self.visible(node)})
            what = f"the result of `{element.name}`"
            return self.run.member(body(arguments), result, what, element.variable.span)

        known = structure(result) or inner.result
        return UserFunction(inner.parameters, called, known, element.name)

    def _service(self, node: Node) -> Value:
        parameters = self._service_parameters(node)

        def called(arguments: dict[str, Value]) -> Value:
            self.run.enter(STACK)
            try:
                return self.serve(node, {n: self._bound(n, arguments[n.variable]) for n in parameters})
            finally:
                self.run.leave(STACK)

        names = tuple((parameter.variable, None) for parameter in parameters)
        return UserFunction(names, called, None, node.element.name)

    def _service_parameters(self, node: Node) -> tuple[Node, ...]:
        """Return the inputs of a decision service in the order of the standard (10.4)."""
        return self.graph.service(node, "input_data") + self.graph.service(node, "input_decisions")

    def service_inputs(self, node: Node, given: dict[str, Value]) -> dict[Node, Value]:
        """Return the inputs of a decision service by name; one that is missing is null, with a warning."""
        parameters = self._service_parameters(node)
        spelled: dict[str, Node] = {}
        for p in parameters:
            spelled |= {f"{{{p.model.namespace}}}{p.element.name}": p, p.variable: p, p.element.name: p}
        for name in given:
            if name not in spelled:
                advice = did_you_mean(name, [p.element.name for p in parameters], of="inputs")
                message = f"`{node.element.name}` has no input `{name}`"
                self.run.warn("unknown-input", message, node.element.span, advice)
        values = {spelled[name]: value for name, value in given.items() if name in spelled}
        for parameter in parameters:
            if parameter not in values:
                message = f"`{parameter.element.name}` is not given, so it is null"
                self.run.warn("missing-input", message, parameter.element.span)
        return {p: self._bound(p, values.get(p)) for p in parameters}

    def serve(self, node: Node, given: dict[Node, Value]) -> Value:
        """Return what a decision service gives for its inputs."""
        inner = Session(self.run, dict(given))
        outputs = self.graph.service(node, "outputs")
        values = {output.variable: inner.decided(output) for output in outputs}
        value: Value = values[outputs[0].variable] if len(outputs) == 1 else dict(values)
        variable = node.element.variable
        result = Boxes(self.run, node.model).result_of(variable)
        return self.run.member(value, result, f"the result of `{node.element.name}`", variable.span)
