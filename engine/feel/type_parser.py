"""The grammar of types: `number`, `list<string>`, `context<a: number>`, `function<number> -> string`."""

from __future__ import annotations

from engine.feel.kinds import BY_NAME, ContextOf, FeelType, FunctionOf, ListOf, Named, RangeOf
from engine.feel.reading import Reader


class TypeParser(Reader):
    """The rules for types (DMN 1.5, 10.3.1.2, rules 52 to 54)."""

    def type(self) -> FeelType:
        """Read a type."""
        self.depth += 1
        if self.depth > self.limits.depth:
            self.too_deep(self.token.offset)
        found = self._type()
        self.depth -= 1
        return found

    def _type(self) -> FeelType:
        word = self.token.text
        if word in ("list", "range") and self.ahead().text == "<":
            self.position += 2
            item = self.type()
            self.expect(">", "at the end of the type")
            return ListOf(item) if word == "list" else RangeOf(item)
        if word == "context" and self.ahead().text == "<":
            self.position += 2
            return self._context_type()
        if word == "function" and self.ahead().text == "<":
            self.position += 2
            return self._function_type()
        for name in ("years and months duration", "days and time duration", "date and time"):
            words = tuple(name.split())
            if tuple(t.text for t in self.tokens[self.position : self.position + len(words)]) == words:
                self.position += len(words)
                return BY_NAME[name]
        if word in BY_NAME:
            self.advance()
            return BY_NAME[word]
        return self._named_type()

    def _named_type(self) -> FeelType:
        name = self.name("a type")
        while self.at(".") and self.ahead().kind == "name":
            self.advance()
            name = f"{name}.{self.name('a type')}"
        return Named(name)

    def _context_type(self) -> FeelType:
        entries: list[tuple[str, FeelType]] = []
        while not self.at(">"):
            name = self.name_until(":", "the name of an entry")
            self.advance()
            entries.append((name, self.type()))
            if not self.accept(","):
                break
        self.expect(">", "at the end of the type")
        return ContextOf(tuple(entries))

    def _function_type(self) -> FeelType:
        parameters: list[FeelType] = []
        while not self.at(">"):
            parameters.append(self.type())
            if not self.accept(","):
                break
        self.expect(">", "at the end of the parameters")
        self.expect("->", "before the type of the result")
        return FunctionOf(tuple(parameters), self.type())
