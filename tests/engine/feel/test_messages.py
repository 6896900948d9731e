"""What an officer reads when an expression is wrong: where, what was read, and what to write instead."""

from __future__ import annotations

import pytest

from engine.feel import (
    BOOLEAN,
    DATE,
    NUMBER,
    STRING,
    ListOf,
    context_of,
    infer,
    infer_tests,
    parse_expression,
    parse_unary_tests,
)
from engine.source import Span

SPAN = Span("policy.yaml", 7, 11)
KINDS = {
    "score": NUMBER, "grade": STRING, "verified": BOOLEAN, "opened": DATE, "reasons": ListOf(STRING),
    "terms": context_of(floor=NUMBER, cap=NUMBER),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "column", "message", "advice"),
    [
        ("score => 3", 8, "expected a value, read `>`", "At least is written `>=`."),
        ("score == 3", 8, "expected a value, read `=`", "Equality is written with one `=`."),
        ("score <> 3", 8, "expected a value, read `>`", "Unequal is written `!=`."),
        ("verified && true", 10, "expected an operator or the end, read `&`", "Write `and`."),
        ("score is 3", 7, "expected an operator or the end, read `is`", "Equality is written `=`."),
        ('"abc', 1, 'the text that begins with `"` has no end', 'Close it with `"`.'),
        (r'"\ud83d"', 1, r"`\ud83d` is half of a character", r"Write both, or `\U` and six digits."),
        (r'@"\udc00"', 2, r"`\udc00` is half of a character", r"Write both, or `\U` and six digits."),
        ("'abc'", 1, "expected a value, read `'`", 'Texts stand in double quotes: `"`.'),
        ("“abc”", 1, "expected a value, read `“`", 'Texts stand in straight double quotes: `"`.'),
        (
            "max(score",
            10,
            "expected `)` at the end of the arguments, but the text ends",
            "Complete the expression.",
        ),
        ("score ＞ 3", 7, "expected an operator or the end, read `＞`", "Write `>`: signs are half-width."),
        ("", 1, "there is nothing to read", "Write an expression; a cell may be `-`."),
    ],
)
def test_syntax(text: str, column: int, message: str, advice: str) -> None:
    (problem,) = parse_expression(text, SPAN, KINDS).problems
    assert (problem.code, problem.message, problem.advice) == ("feel-syntax", message, advice)
    assert (problem.span.line, problem.span.column) == (7, 10 + column)


@pytest.mark.parametrize(
    ("text", "code", "column", "message", "advice"),
    [
        ("scor > 3", "unknown-name", 1, "nothing is called `scor`", "Did you mean `score`?"),
        (
            "a，3",
            "unknown-name",
            1,
            "nothing is called `a，3`",
            "`，` is read as a letter: write signs half-width.",
        ),
        ("terms.flor", "no-such-entry", 1, "there is no entry `flor` here", "Did you mean `floor`?"),
        ("terms.x", "no-such-entry", 1, "there is no entry `x` here", "There are: floor, cap."),
        (
            'score > "3"',
            "wrong-types",
            1,
            "a number is compared with a string",
            "Write the number without quotes.",
        ),
        (
            "opened < 2026-01-31",
            "wrong-types",
            1,
            "a date is compared with a number",
            'Write a day with a sign and quotes: `@"2026-01-31"`.',
        ),
        (
            'opened < "2026-01-31"',
            "wrong-types",
            1,
            "a date is compared with a string",
            'Write a day with a sign and quotes: `@"2026-01-31"`.',
        ),
        (
            "opened + 30",
            "wrong-types",
            1,
            "there is no date + number",
            'Write a number of days as a duration: `@"P30D"`, or `duration("P30D")`.',
        ),
        (
            "score > ３40",
            "unknown-name",
            9,
            "nothing is called `３40`",
            "Write `340`: digits are half-width.",
        ),
        (
            "grade + 1",
            "wrong-types",
            1,
            "there is no string + number",
            "Make a text of it with `string(...)`.",
        ),
        ("verified > true", "wrong-types", 1, "a boolean has no order, so there is no `>`", ""),
        ("if score then 1 else 2", "wrong-types", 4, "a condition is wanted here, not a number", ""),
        (
            'opened < @"2026-13-01"',
            "bad-literal",
            10,
            '@"2026-13-01" is no date, time or duration',
            'Write `@"2026-01-31"`, or `@"P30D"`.',
        ),
        (
            "today()",
            "no-clock",
            1,
            "the engine has no clock for `today`",
            "Declare it as a fact; it has the value that the caller gives.",
        ),
        (
            "score(1)",
            "not-a-function",
            1,
            "a number cannot be called",
            "Remove the brackets behind it; times is written `*`.",
        ),
        (
            "substring(score, 1)",
            "bad-argument",
            1,
            "`substring` does not take (number, number)",
            "It is `substring(string: string, start position: number, [length: number]) -> string`.",
        ),
    ],
)
def test_types(text: str, code: str, column: int, message: str, advice: str) -> None:
    node = parse_expression(text, SPAN, KINDS).policy
    assert node is not None
    (problem,) = infer(node, KINDS, SPAN, text)[1]
    assert (problem.code, problem.message, problem.advice) == (code, message, advice)
    assert problem.span.column == 10 + column


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ('"720"', "a number is compared with a string"),
        (">= 720, true", "a number is compared with a boolean"),
        ('["a".."c"]', "a number is compared with a string"),
        ("? + 1", "a condition is wanted here, not a number"),
    ],
)
def test_cells_of_a_number_column(cell: str, message: str) -> None:
    tests = parse_unary_tests(cell, SPAN).policy
    assert tests is not None
    assert [problem.message for problem in infer_tests(tests, NUMBER, KINDS, SPAN, cell)] == [message]


def test_a_place_in_a_text_of_several_lines() -> None:
    text = "if score > 3\nthen 1\n  else scor"
    node = parse_expression(text, SPAN, KINDS).policy
    assert node is not None
    (problem,) = infer(node, KINDS, SPAN, text)[1]
    assert (problem.span.line, problem.span.column) == (9, 18)
