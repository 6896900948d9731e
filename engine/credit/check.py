"""Everything that can be known of a policy before there is a customer: names, types, reasons, uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from engine.credit.check_tables import check_scorecard, check_table
from engine.credit.check_units import unit_problems
from engine.credit.domains import Domain, Values, domain_of
from engine.credit.finish import STATUSES
from engine.credit.model import (
    Answer,
    CreditPolicy,
    DecisionDefinition,
    DecisionTable,
    Expression,
    Formula,
    HitPolicy,
    Scorecard,
    Tests,
)
from engine.credit.order import names_in, reads_of
from engine.credit.policy_reader import PolicyReader, polished
from engine.credit.results import codes_asked_for, divisions_by_zero, ends, items
from engine.credit.units import is_amount
from engine.feel import kinds, syntax
from engine.feel.functions import REGISTRY
from engine.feel.inference import infer, infer_tests
from engine.feel.kinds import ContextOf, FeelType, ListOf, fits, join
from engine.feel.values import show
from engine.identity import manifest
from engine.source import Problem, Span, has_errors
from engine.text import did_you_mean, suggest
from engine.text.meant import advice_on

_APART = frozenset(
    ("amount-too-precise", "default-out-of-range", "division-by-zero", "effective-crossed",
     "money-not-number", "not-a-code", "not-a-currency", "one-of-twice", "reason-without-text",
     "units-mixed", "unknown-reason", "value-never")
)  # fmt: skip
"""Mistakes that stand for themselves: tables and uses can be judged all the same."""
_MISSPELT = "did you mean `reasons`?"
_LITERALS = (syntax.Number, syntax.String, syntax.Boolean, syntax.Null)


def check(reader: PolicyReader, draft: CreditPolicy, root: str) -> CreditPolicy:
    """Note everything that is wrong or doubtful, and return the policy with types and identity."""
    checker = _Checker(reader, draft)
    checker.names()
    checker.decisions()
    checker.results()
    checker.amounts()
    checker.reason_codes()
    checker.uses()
    checker.promises()
    if not checker.unread():
        checker.tables()
    texts = {path: reader.texts[path] for path in sorted(reader.used)}
    stated = manifest(draft.name, "credit", draft.version, draft.effective_from, texts)
    reads = {name: tuple(reads_of(decision)) for name, decision in draft.decisions.items()}
    return replace(draft, kinds=checker.kinds, reads=reads, manifest=stated, digest=stated.digest)


class _Checker:
    """One pass over one policy; `kinds` grows as decisions are understood."""

    def __init__(self, reader: PolicyReader, policy: CreditPolicy) -> None:
        self.reader, self.policy = reader, policy
        self.kinds: dict[str, FeelType] = {n: kinds.ANY for n in sorted(reader.names) if n != "reasons"}
        self.kinds |= {name: fact.kind.feel for name, fact in policy.facts.items()}
        self.kinds |= dict.fromkeys(policy.decisions, kinds.ANY)
        self.literals: dict[tuple[type[syntax.Node], str], FeelType] = {}

    def unread(self) -> bool:
        """Tell whether something could not be understood, so that what follows from it is not known."""
        return has_errors(problem for problem in self.reader.problems if problem.code not in _APART)

    # types

    def names(self) -> None:
        """Note names that stand for a built-in function."""
        for name, item in (*self.policy.facts.items(), *self.policy.decisions.items()):
            if name in kinds.BY_NAME or name in REGISTRY:
                message = f"`{name}` is a built-in function of the expression language"
                self.reader.error("reserved-name", message, item.span, f"choose another name: `{name}_value`")
                self.kinds.pop(name, None)  # what calls the function is right

    def decisions(self) -> None:
        """Infer the type of each decision in the order of their dependencies."""
        for name in self.policy.order:
            self.kinds[name] = self._decision(self.policy.decisions[name])

    def _decision(self, decision: DecisionDefinition) -> FeelType:
        if isinstance(decision, DecisionTable):
            return self._table(decision)
        if isinstance(decision, Scorecard):
            for characteristic in decision.characteristics:
                kind = self.type_of(characteristic.expression)
                for bin_ in characteristic.bins:
                    self._cell(bin_.tests, characteristic.expression, kind)
            return kinds.NUMBER
        return self.type_of(decision.expression)

    def type_of(self, expression: Expression, more: dict[str, FeelType] | None = None) -> FeelType:
        """Return the type of an expression, noting what in it can never work."""
        key = (type(expression.node), expression.text)
        if key in self.literals:
            return self.literals[key]
        names = {**self.kinds, **(more or {})}
        kind, problems = infer(expression.node, names, expression.span, expression.text)
        self.reader.take(_perhaps_text(polished(problem)) for problem in problems)
        self._known_texts(expression)
        for part in divisions_by_zero(expression.node):
            place = expression.span.shifted(part.offset, max(1, part.length))
            advice = "divide by something else; a value that can be 0 is asked first: `if x = 0 then ...`"
            self.reader.error("division-by-zero", "this divides by 0, which has no answer", place, advice)
        if isinstance(expression.node, _LITERALS) and not problems:
            self.literals[key] = kind
        return kind

    def _cell(self, tests: Tests, heading: Expression, kind: FeelType) -> None:
        found = infer_tests(tests.node, kind, self.kinds, tests.span, tests.text)
        domain = domain_of(self.policy, heading, kind)
        self.reader.take(_quoted(polished(problem), tests, kind, domain) for problem in found)
        if isinstance(domain, Values) and not domain.open and kind != kinds.BOOLEAN:
            literals = (test for test in tests.node.tests if isinstance(test, syntax.String))
            for literal in literals:
                self._known_text(literal, tests.span, heading.text, domain)

    def _known_texts(self, expression: Expression) -> None:
        """Note comparisons with a text that the other side can never be: `grade = "F"`."""
        for part in syntax.walk(expression.node):
            if isinstance(part, syntax.Comparison) and part.operator in ("=", "!="):
                for side, other in ((part.left, part.right), (part.right, part.left)):
                    if isinstance(other, syntax.String):
                        domain = domain_of(self.policy, replace(expression, node=side), kinds.ANY)
                        if isinstance(domain, Values) and not domain.open:
                            heading = expression.text[side.offset : side.offset + side.length]
                            self._known_text(other, expression.span, heading, domain)

    def _known_text(self, literal: syntax.String, span: Span, heading: str, domain: Values) -> None:
        if literal.value in domain.values:
            return
        options = [show(value) for value in domain.values if isinstance(value, str)]
        place = span.shifted(literal.offset, max(1, literal.length))
        message = f'`{heading}` is never "{literal.value}"'
        advice = did_you_mean(show(literal.value), options, of="it can be")
        self.reader.error("value-never", message, place, advice)

    def _table(self, table: DecisionTable) -> FeelType:
        for column, heading in enumerate(table.inputs):
            kind = self.type_of(heading)
            fine: set[int] = set()  # cells of one text share their tree: thousands of rows have few of them
            for rule in table.rules:
                tests, before = rule.tests[column], len(self.reader.problems)
                if id(tests.node) not in fine:
                    self._cell(tests, heading, kind)
                    if len(self.reader.problems) == before:
                        fine.add(id(tests.node))
        columns = [self._column(table, column) for column in range(len(table.outputs))]
        if table.hit is HitPolicy.COLLECT_COUNT:
            return kinds.NUMBER
        if table.hit.name.startswith("COLLECT_") and not fits(columns[0], kinds.NUMBER):
            message = f"{table.hit} needs numbers; column `{table.outputs[0].name}` is {columns[0]}"
            advice = "write a number in each row, or `hit: COLLECT` for a list of what matches"
            self.reader.error("collect-not-number", message, table.outputs[0].span, advice)
        names = tuple(output.name for output in table.outputs)
        kind = columns[0] if len(columns) == 1 else ContextOf(tuple(zip(names, columns, strict=True)))
        return ListOf(kind) if table.hit.lists else kind

    def _column(self, table: DecisionTable, column: int) -> FeelType:
        results = [rule.results[column] for rule in table.rules]
        results += [table.otherwise[column]] if table.otherwise is not None else []
        kind: FeelType = kinds.NULL
        for result in results:
            found = self.type_of(result)
            if not (fits(found, kind) or fits(kind, found)) and kinds.ANY not in (found, kind):
                heading = table.outputs[column].name
                message = f"`{result.text}` is {_a(found)}; above it in column `{heading}` stands {_a(kind)}"
                self.reader.error("column-mixed", message, result.span, self._mixed_advice(result, kind))
                continue
            kind = join(kind, found)
        return kind

    def _mixed_advice(self, result: Expression, kind: FeelType) -> str:
        if isinstance(result.node, syntax.Name):
            return did_you_mean(result.node.name, self.kinds, of="names")
        if kind == kinds.STRING and isinstance(result.node, syntax.Number):
            return f'write `"{result.text}"`: all cells of an output column are of one type'
        return f"write {_a(kind)}, as above: all cells of an output column are of one type"

    def results(self) -> None:
        """Check the outcome, the status and the choice of reasons."""
        for item in self.policy.outcome:
            kind = self.type_of(item.expression)
            if item.money and not fits(kind, kinds.NUMBER):
                message = f"outcome `{item.name}` is money, but its value is {_a(kind)}"
                advice = f"leave `money` out, `{item.name}: {item.expression.text}`, or name a number"
                self.reader.error("money-not-number", message, item.expression.span, advice)
            if not item.money and is_amount(self.policy, item.expression.node):
                message = f"outcome `{item.name}` is an amount, but it is told as a number without a currency"
                advice = f"write `{item.name}: {{money: {item.expression.text}}}`"
                self.reader.warn("amount-without-currency", message, item.expression.span, advice)
        before = len(self.reader.problems)
        self._wanted(self.policy.status, "status", kinds.STRING, {})
        self.reader.problems[before:] = map(_status_quoted, self.reader.problems[before:])
        self._status_texts()
        codes = ListOf(kinds.STRING)
        self._wanted(self.policy.told, "outcome `reasons`", codes, {"reasons": codes})

    def _status_texts(self) -> None:
        """Note texts that a status cannot be: `"maybe"`."""
        status = self.policy.status
        for node in ends(status.node) if status else ():
            if isinstance(node, syntax.String) and node.value not in STATUSES:
                assert status is not None
                place = status.span.shifted(node.offset, max(1, node.length))
                advice = did_you_mean(node.value, STATUSES, of="it can be")
                self.reader.error("value-never", f'a status is never "{node.value}"', place, advice)

    def _told_codes(self) -> Iterator[tuple[str, Span]]:
        """Yield the codes that the choice of reasons writes out; what is no text is an error."""
        told = self.policy.told
        for node in items(told.node) if told else ():
            assert told is not None
            place = told.span.shifted(node.offset, max(1, node.length))
            if isinstance(node, syntax.String):
                yield node.value, place
            elif isinstance(node, syntax.Number | syntax.Boolean | syntax.Null):
                message = f"`{told.text[node.offset : node.offset + node.length]}` is not a reason code"
                self.reader.error("reason-not-code", message, place, "write a code of `reasons` in quotes")

    def _wanted(
        self, expression: Expression | None, what: str, wanted: FeelType, more: dict[str, FeelType]
    ) -> None:
        if expression is not None and not fits(kind := self.type_of(expression, more), wanted):
            message = f"{what} is {_a(kind)}; it must be {_a(wanted)}"
            advice = "write what gives one of " + ", ".join(f'`"{status}"`' for status in STATUSES)
            advice = advice if what == "status" else "write a list of codes: `sublist(reasons, 1, 4)`"
            self.reader.error("wrong-types", message, expression.span, advice)

    def amounts(self) -> None:
        """Note amounts that nobody can pay, and amounts mixed up with plain numbers."""
        if self.policy.currency:
            self.reader.take(unit_problems(self.policy))

    # reasons, uses, promises

    def reason_codes(self) -> None:
        """Check that every code has texts, in all languages of the policy, and is used."""
        codes = [*self._codes(), *self._told_codes()]
        used, meant, unread = dict(codes), set[str | None](), self.unread()
        misspelt = not self.policy.reasons and any(p.advice == _MISSPELT for p in self.reader.problems)
        for code, span in codes:
            if code not in self.policy.reasons and not misspelt:  # one mistake, told where it stands
                meant.add(suggest(code, self.policy.reasons))
                advice = did_you_mean(code, self.policy.reasons, of="reasons")
                advice = advice if advice.startswith("did") else f"add `{code}: {{en: ...}}` to `reasons`"
                self.reader.error("unknown-reason", f"the reason `{code}` has no text", span, advice)
        self._codes_asked_for()
        languages = {language for reason in self.policy.reasons.values() for language in reason.text}
        for reason in self.policy.reasons.values():
            missing = sorted(languages - set(reason.text))
            if reason.text and missing:
                message = f"reason `{reason.code}` has no text in {', '.join(missing)}"
                advice = f"add `{missing[0]}: ...`, as other reasons of this policy have it"
                self.reader.warn("reason-language", message, reason.span, advice)
            if reason.code not in used and reason.code not in meant and not unread:
                message = f"reason `{reason.code}` is never given"
                self.reader.warn("unused-reason", message, reason.span, "remove it, or use it in a row")

    def _codes_asked_for(self) -> None:
        """Note codes that expressions look for among reasons, and that are none."""
        tables = [d for d in self.policy.decisions.values() if isinstance(d, DecisionTable)]
        lists = {d.name for d in tables if d.reason_column is not None and len(d.outputs) == 1} | {"reasons"}
        asked = [d.expression for d in self.policy.decisions.values() if isinstance(d, Formula)]
        asked += [heading for table in tables for heading in table.inputs]
        asked += [item.expression for item in self.policy.outcome]
        asked += [one for one in (self.policy.status, self.policy.told) if one]
        for expression in asked:
            for code in codes_asked_for(expression.node, lists):
                if code.value not in self.policy.reasons:
                    place = expression.span.shifted(code.offset, max(1, code.length))
                    codes = [show(known) for known in self.policy.reasons]
                    advice = did_you_mean(show(code.value), codes, of="reasons")
                    self.reader.error("value-never", f'no reason is "{code.value}"', place, advice)

    def _codes(self) -> Iterator[tuple[str, Span]]:
        for decision in self.policy.decisions.values():
            if isinstance(decision, Scorecard):
                for characteristic in decision.characteristics:
                    yield from (
                        (bin_.reason, bin_.reason_span or bin_.span)
                        for bin_ in characteristic.bins
                        if bin_.reason
                    )
            elif isinstance(decision, DecisionTable) and decision.reason_column is not None:
                yield from self._column_codes(decision, decision.reason_column)
        for answer in self._answers():
            yield answer.reason, answer.reason_span or answer.span

    def _column_codes(self, table: DecisionTable, column: int) -> Iterator[tuple[str, Span]]:
        results = [rule.results[column] for rule in table.rules]
        results += [table.otherwise[column]] if table.otherwise is not None else []
        for result in results:
            if isinstance(result.node, syntax.String):
                yield result.node.value, result.span
            elif not isinstance(result.node, syntax.Null):
                advice = "write the code itself, so that its text can be checked"
                self.reader.error(
                    "reason-not-code", f"`{result.text}` is not a reason code", result.span, advice
                )

    def _answers(self) -> Iterator[Answer]:
        for fact in self.policy.facts.values():
            yield from (a for a in (fact.when_missing, fact.when_old, fact.when_unverified) if a)
        yield from (a for a in (self.policy.when_no_row, self.policy.when_failed) if a)

    def uses(self) -> None:
        """Note facts and decisions that nothing reads."""
        read: set[str] = set()
        for decision in self.policy.decisions.values():
            read |= reads_of(decision).keys() - {decision.name}
        ends = [item.expression for item in self.policy.outcome]
        ends += [e for e in (self.policy.status, self.policy.told) if e]
        read |= {name for expression in ends for name, _ in names_in(expression)}
        if self.unread():
            return  # what could not be read may well use them
        for name, fact in self.policy.facts.items():
            if name not in read:
                self.reader.warn(
                    "unused-fact", f"no decision reads the fact `{name}`", fact.span, "remove it"
                )
        for name, decision in self.policy.decisions.items():
            if name not in read and not _gives_reasons(decision):
                message = f"nothing reads the decision `{name}`"
                self.reader.warn(
                    "unused-decision", message, decision.span, "remove it, or use it in `outcome`"
                )

    def promises(self) -> None:
        """Note promises of what has no more and no less; `check_promises.py` proves the others."""
        for promise in self.policy.promises:
            for name in (promise.subject, promise.target):
                kind = self.kinds.get(name, kinds.ANY)
                if kind in (kinds.NUMBER, kinds.ANY) or (kind == kinds.DATE and name == promise.subject):
                    continue
                found = re.search(rf"\b{name}\b", promise.text)
                place = promise.span.shifted(found.start(), len(name)) if found else promise.span
                message = f"`{name}` is {_a(kind)}: there is no more and no less of it"
                self.reader.error("promise-not-number", message, place, "name a number")

    def tables(self) -> None:
        """Analyse the rows of tables and the bins of scorecards; what is wrong already is not told twice."""
        told = {problem.span for problem in self.reader.problems}
        before = len(self.reader.problems)
        self._analysed()
        found = self.reader.problems[before:]
        kept = [one for one in found if one.code != "cell-never-matches" or one.span not in told]
        self.reader.problems[before:] = kept

    def _analysed(self) -> None:
        for decision in self.policy.decisions.values():
            if isinstance(decision, DecisionTable):
                check_table(self.reader, self.policy, decision, self.kinds)
            elif isinstance(decision, Scorecard):
                check_scorecard(self.reader, self.policy, decision, self.kinds)


def _quoted(problem: Problem, tests: Tests, kind: FeelType, domain: Domain) -> Problem:
    """Return a problem of a cell; a text that was written without quotes is told so."""
    word = tests.text.strip()
    if problem.code == "unknown-name" and kind == kinds.BOOLEAN:
        return replace(problem, advice=advice_on(word, "a truth value", "write `true`, `false` or `-`"))
    if problem.code == "wrong-types" and kind == kinds.BOOLEAN and word.strip('"') in ("true", "false"):
        return replace(problem, advice=f"write `{word.strip(chr(34))}`, without quotes")
    known = isinstance(domain, Values) and word in domain.values
    if problem.code != "unknown-name" or kind != kinds.STRING or (problem.advice and not known):
        return problem
    return replace(problem, advice=f'a text to compare with stands in quotes: `"{word}"`')


def _perhaps_text(problem: Problem) -> Problem:
    """Return a problem of an expression; a name that is near to nothing may be a text without its quotes."""
    if problem.code != "unknown-name" or problem.advice:
        return problem
    word = problem.message.split("`")[1]
    return replace(problem, advice=f'declare it under `facts`; a text stands in double quotes: `"{word}"`')


def _status_quoted(problem: Problem) -> Problem:
    """Return a problem of the status; one that was written without quotes is told so."""
    word = problem.message.split("`")[1] if problem.code == "unknown-name" else ""
    meant = suggest(word, STATUSES) if word else None
    advice = f"a text stands in two pairs of quotes: `'\"{meant}\"'`"
    return replace(problem, advice=advice) if meant else problem


def _gives_reasons(decision: DecisionDefinition) -> bool:
    if isinstance(decision, Scorecard):
        return any(bin_.reason for part in decision.characteristics for bin_ in part.bins)
    return not isinstance(decision, Formula) and decision.reason_column is not None


def _a(kind: FeelType) -> str:
    return {"Null": "null", "Any": "anything"}.get(str(kind), f"a {kind}")
