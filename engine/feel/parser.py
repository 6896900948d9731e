"""Tokens to trees: a precedence climber over the grammar of FEEL (DMN 1.5, 10.3.1.2).

A FEEL name may hold blanks and signs (`monthly fee`, `a-b`), so the reader has to know the names in
scope; the longest known name wins. Names that the text itself introduces are known from there on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal, Overflow

from engine.feel import syntax as s
from engine.feel.decimals import CONTEXT
from engine.feel.kinds import FeelType
from engine.feel.limits import LIMITS, Limits
from engine.feel.names import KEYWORDS as KEYWORDS
from engine.feel.names import spelled
from engine.feel.reading import R, SyntaxFailure
from engine.feel.tokens import HALF, unescape
from engine.feel.type_parser import TypeParser
from engine.policy import Loaded
from engine.source import Problem, Span

COMPARISONS = frozenset(("=", "!=", "<", "<=", ">", ">="))
OR, AND, COMPARE, ADD, MULTIPLY, POWER, NEGATE, INSTANCE, POSTFIX = range(1, 10)
ARITHMETIC = {"+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY, "**": POWER}
FILTER_STARTS = frozenset(("true", "false", "null", "for", "if", "some", "every", "function"))


def parse_expression(
    text: str, span: Span, names: Collection[str] = (), *, limits: Limits = LIMITS
) -> Loaded[s.Node]:
    """Read one expression; `names` are those in scope, so that names with blanks are understood."""
    return _load(text, span, names, limits, lambda parser: parser.whole(parser.expression))


def parse_unary_tests(
    text: str, span: Span, names: Collection[str] = (), *, limits: Limits = LIMITS
) -> Loaded[s.UnaryTests]:
    """Read one cell of a decision table: `>= 720`, `[650..720)`, `"sme", "key"`, `not(null)`, `-`."""
    return _load(text, span, names, limits, lambda parser: parser.whole(parser.unary_tests))


def parse_type(text: str, span: Span) -> Loaded[FeelType]:
    """Read the name of a type: `number`, `list<string>`, `context<a: number>`; others are `Named`."""
    return _load(text, span, (), LIMITS, lambda parser: parser.whole(parser.type))


def _load(
    text: str, span: Span, names: Collection[str], limits: Limits, read: Callable[[Parser], R]
) -> Loaded[R]:
    try:
        return Loaded(read(Parser(text, names, limits)), ())
    except SyntaxFailure as failure:
        place = place_of(span, text, failure.offset, failure.length)
        return Loaded(None, (Problem("feel-syntax", failure.message, place, failure.advice),))


def place_of(span: Span, text: str, offset: int, length: int) -> Span:
    """Return the place of a part of an expression whose text begins at `span`."""
    before = text[:offset]
    if (line := before.count("\n")) == 0:
        return span.shifted(offset, length)
    column = span.column + offset - before.rindex("\n") - 1
    return Span(span.file, span.line + line, column, length, span.cell)


class Parser(TypeParser):
    """The rules for expressions and cells."""

    # --- expressions ------------------------------------------------------------------------------

    def expression(self, power: int = OR) -> s.Node:
        """Read an expression whose operators bind at least as tightly as `power`."""
        self.depth += 1
        if self.depth > self.limits.depth:
            self.too_deep(self.token.offset)
        start = self.token.offset
        found = self.operators(self.operand(), start, power)
        self.depth -= 1
        return found

    def operators(self, left: s.Node, start: int, power: int) -> s.Node:
        """Read the operators and right sides that follow a left side."""
        while True:
            text = self.token.text if self.token.kind in ("symbol", "name") else ""
            if text in ARITHMETIC and ARITHMETIC[text] >= power:
                self.advance()
                right = self.expression(ARITHMETIC[text] + 1)
                left = self.place(s.Arithmetic, start, text, left, right)
            elif text in COMPARISONS and power <= COMPARE:
                self.advance()
                left = self.place(s.Comparison, start, text, left, self.expression(ADD))
            elif text == "and" and power <= AND:
                left = self._chain(s.And, left, start, "and", COMPARE)
            elif text == "or" and power <= OR:
                left = self._chain(s.Or, left, start, "or", AND)
            elif text == "between" and power <= COMPARE:
                left = self._between(left, start)
            elif text == "in" and power <= COMPARE:
                self.advance()
                left = self.place(s.In, start, left, self._in_tests())
            elif text == "instance" and power <= INSTANCE:
                self.advance()
                self.expect("of", "after `instance`")
                left = self.place(s.InstanceOf, start, left, self.type())
            elif (longer := self._postfix(left, start, text)) is not None:
                left = longer
            else:
                return left

    def _chain(self, node: type[s.And | s.Or], left: s.Node, start: int, word: str, power: int) -> s.Node:
        items = [left]
        while self.accept(word):
            items.append(self.expression(power))
        return self.place(node, start, tuple(items))

    def _between(self, left: s.Node, start: int) -> s.Node:
        self.advance()
        low = self.expression(ADD)
        self.expect("and", "between the two bounds")
        return self.place(s.Between, start, left, low, self.expression(ADD))

    def _in_tests(self) -> tuple[s.Node, ...]:
        if not self.at("("):
            return (self._test(ADD),)
        start = self.token.offset
        tests = self._parenthesised()
        if len(tests) == 1 and not isinstance(tests[0], s.UnaryComparison):
            return (self.operators(tests[0], start, ADD),)
        return tests

    def _postfix(self, left: s.Node, start: int, text: str) -> s.Node | None:
        if text == ".":
            self.advance()
            return self.place(s.Path, start, left, self.name("the name of an entry behind `.`"))
        if text == "[" and not self._closes_range():
            self.advance()
            condition = self.expression()
            self.expect("]", "at the end of the filter")
            return self.place(s.Filter, start, left, condition)
        if text == "(":
            return self._call(left, start)
        return None

    def _closes_range(self) -> bool:
        """Tell whether `[` ends an open range such as `]1..5[`: nothing that follows begins a filter."""
        after = self.ahead()
        if after.kind == "end" or (
            after.kind == "symbol" and after.text not in ("(", "[", "]", "{", "-", "@")
        ):
            return True
        return after.text in KEYWORDS - {"true", "false", "null", "for", "if", "some", "every", "function"}

    def _call(self, function: s.Node, start: int) -> s.Call:
        self.expect("(", "")
        arguments: list[s.Node] = []
        named: list[s.Entry] = []
        while not self.at(")"):
            begin = self.token.offset
            if self._named_argument():
                name = self.name_until(":", "the name of a parameter")
                self.advance()
                named.append(self.place(s.Entry, begin, name, self.expression()))
            else:
                arguments.append(self.expression())
            if not self.accept(","):
                break
        closing = self.expect(")", "at the end of the arguments")
        if arguments and named:
            self.refuse(
                "the arguments are partly named and partly not", closing, "Name all of them, or none."
            )  # fmt: skip
        return self.place(s.Call, start, function, tuple(arguments), tuple(named))

    def _named_argument(self) -> bool:
        index = self.position
        if self.tokens[index].kind != "name":
            return False
        while self.tokens[index].kind == "name" or self.in_name(self.tokens[index]):
            index += 1
        return self.tokens[index].kind == "symbol" and self.tokens[index].text == ":"

    # --- operands ---------------------------------------------------------------------------------

    def operand(self) -> s.Node:
        """Read what stands without an operator: a literal, a name, something in brackets, a form."""
        token = self.token
        if token.kind == "number":
            self.advance()
            return self.place(s.Number, token.offset, self._number(token.text))
        if token.kind == "string":
            return self.place(s.String, token.offset, self._text())
        if token.kind == "symbol" and token.text in self._SYMBOLS:
            return self._SYMBOLS[token.text](self)
        if token.kind == "name":
            if (name := self.known_name()) is not None:
                return self.place(s.Name, token.offset, name)
            if token.text in self._WORDS:
                return self._WORDS[token.text](self)
            return self.place(s.Name, token.offset, self.name("a value"))
        return self.unexpected("a value")

    def _number(self, text: str) -> Decimal:
        try:
            return CONTEXT.create_decimal(text)
        except Overflow:
            self.refuse("the number is too large", self.tokens[self.position - 1], "Numbers end at 1e6144.")

    def _text(self) -> str:
        token = self.advance()
        if (half := HALF.search(text := unescape(token.text))) is not None:
            code = f"\\u{ord(half[0]):04x}"
            self.refuse(f"`{code}` is half of a character", token, "Write both, or `\\U` and six digits.")
        return text

    def _negative(self) -> s.Node:
        start = self.advance().offset
        if self.token.kind == "number":
            return self.place(s.Number, start, CONTEXT.minus(self._number(self.advance().text)))
        return self.place(s.Negation, start, self.expression(NEGATE + 1))

    def _at_literal(self) -> s.Node:
        start = self.advance().offset
        if self.token.kind != "string":
            self.unexpected('a text such as `"2026-01-31"` behind `@`')
        return self.place(s.AtLiteral, start, self._text())

    def _boolean(self) -> s.Node:
        token = self.advance()
        return self.place(s.Boolean, token.offset, token.text == "true")

    def _null(self) -> s.Node:
        return self.place(s.Null, self.advance().offset)

    def _round(self) -> s.Node:
        """Read `(a)`, `(a..b)`, or a range of one bound such as `(< 10)`."""
        tests = self._parenthesised(single=True)
        return tests[0]

    def _parenthesised(self, single: bool = False) -> tuple[s.Node, ...]:
        start = self.expect("(", "").offset
        tests = [self._test(OR)]
        if self.at("..") and not isinstance(tests[0], s.UnaryComparison):
            return (self._range(tests[0], start, low_closed=False),)
        while not single and self.accept(","):
            tests.append(self._test(OR))
        self.expect(")", "at the end")
        return tuple(tests)

    def _square(self) -> s.Node:
        """Read a list, or a range that includes its lower bound."""
        start = self.advance().offset
        items: list[s.Node] = []
        while not self.at("]"):
            items.append(self.expression())
            if len(items) == 1 and self.at(".."):
                return self._range(items[0], start, low_closed=True)
            if not self.accept(","):
                break
        self.expect("]", "at the end of the list")
        return self.place(s.ListLiteral, start, tuple(items))

    def _open_range(self) -> s.Node:
        """Read `]a..b[`, another spelling of `(a..b)`."""
        start = self.advance().offset
        return self._range(self.expression(), start, low_closed=False)

    def _range(self, low: s.Node, start: int, low_closed: bool) -> s.Node:
        self.expect("..", "between the two bounds")
        high = self.expression()
        if not self.at("]", ")", "["):
            self.unexpected("`]` or `)` at the end of the range")
        high_closed = self.advance().text == "]"
        return self.place(s.RangeLiteral, start, low, high, low_closed, high_closed)

    def _context(self) -> s.Node:
        start = self.advance().offset
        entries: list[s.Entry] = []
        while not self.at("}"):
            begin = self.token.offset
            if self.token.kind == "string":
                name = unescape(self.advance().text)
                self.introduce(name)
            else:
                name = self.name_until(":", "the name of an entry")
            self.expect(":", "behind the name of the entry")
            entries.append(self.place(s.Entry, begin, name, self.expression()))
            if not self.accept(","):
                break
        self.expect("}", "at the end of the context")
        return self.place(s.ContextLiteral, start, tuple(entries))

    # --- forms ------------------------------------------------------------------------------------

    def _if(self) -> s.Node:
        start = self.advance().offset
        condition = self.expression()
        self.expect("then", "after the condition")
        then = self.expression()
        self.expect("else", "after the first branch")
        return self.place(s.If, start, condition, then, self.expression())

    def _for(self) -> s.Node:
        start = self.advance().offset
        iterators = self._iterators("return")
        self.introduce("partial")
        return self.place(s.For, start, iterators, self.expression())

    def _quantified(self) -> s.Node:
        token = self.advance()
        iterators = self._iterators("satisfies")
        return self.place(s.Quantified, token.offset, token.text, iterators, self.expression())

    def _iterators(self, end: str) -> tuple[s.Iterator, ...]:
        found = [self._iterator()]
        while self.accept(","):
            found.append(self._iterator())
            if len(found) > self.limits.depth:
                self.too_deep(self.token.offset)
        self.expect(end, "after the lists")
        return tuple(found)

    def _iterator(self) -> s.Iterator:
        start = self.token.offset
        name = self.name_until("in", "the name of a variable")
        self.advance()
        domain = self.expression()
        end = self.expression() if self.accept("..") else None
        return self.place(s.Iterator, start, name, domain, end)

    def _function(self) -> s.Node:
        start = self.advance().offset
        self.expect("(", "after `function`")
        parameters: list[s.Parameter] = []
        while not self.at(")"):
            parameters.append(self._parameter())
            if not self.accept(","):
                break
        self.expect(")", "at the end of the parameters")
        external = self.accept("external")
        return self.place(s.FunctionDefinition, start, tuple(parameters), self.expression(), external)

    def _parameter(self) -> s.Parameter:
        begin, first = self.token.offset, self.position
        while self.token.kind == "name" or (self.position > first and self.in_name(self.token)):
            self.advance()
        if first == self.position:
            self.unexpected("the name of a parameter")
        name = spelled(self.text, self.tokens[first : self.position])
        self.introduce(name)
        return self.place(s.Parameter, begin, name, self.type() if self.accept(":") else None)

    # --- unary tests ------------------------------------------------------------------------------

    def unary_tests(self) -> s.UnaryTests:
        """Read a cell of a decision table."""
        start = self.token.offset
        if self.at("-") and self.ahead().kind == "end":
            self.advance()
            return self.place(s.UnaryTests, start, ())
        if (negated := self._negated_tests()) is not None:
            return self.place(s.UnaryTests, start, negated, True)
        return self.place(s.UnaryTests, start, self._tests())

    def _tests(self) -> tuple[s.Node, ...]:
        tests = [self._test(OR)]
        while self.accept(","):
            tests.append(self._test(OR))
        return tuple(tests)

    def _negated_tests(self) -> tuple[s.Node, ...] | None:
        """Read `not(...)` if it reaches to the end, so that it negates the cell and not one condition."""
        before = self.position
        if not (self.accept("not") and self.accept("(")):
            self.position = before
            return None
        try:
            tests = self._tests()
            self.expect(")", "at the end of `not`")
        except SyntaxFailure:
            tests = ()
        if tests and self.token.kind == "end":
            return tests
        self.position, self.depth = before, 0
        return None

    def _test(self, power: int) -> s.Node:
        start = self.token.offset
        if self.token.kind == "symbol" and self.token.text in COMPARISONS:
            sign = self.advance().text
            return self.place(s.UnaryComparison, start, sign, self.expression(ADD))
        return self.expression(power)

    _SYMBOLS: dict[str, Callable[[Parser], s.Node]] = {
        "-": _negative, "@": _at_literal, "(": _round, "[": _square, "]": _open_range, "{": _context,
    }  # fmt: skip
    _WORDS: dict[str, Callable[[Parser], s.Node]] = {
        "true": _boolean, "false": _boolean, "null": _null, "if": _if, "for": _for, "some": _quantified,
        "every": _quantified, "function": _function,
    }  # fmt: skip
