"""The `facts:` of a policy: what it may read, and what is asked of the quality of each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from engine.credit.model import Answer, FactDefinition, FactKind
from engine.credit.policy_reader import PolicyReader, is_bare
from engine.feel.parser import KEYWORDS
from engine.source import Span
from engine.text import Node, ScalarNode, did_you_mean, optional, suggest
from engine.text.meant import plain_name

_KINDS = {str(kind): kind for kind in FactKind} | {"number": FactKind.DECIMAL}
_CALLED = {
    "text": "string", "str": "string", "varchar": "string", "int": "integer", "whole": "integer",
    "bool": "boolean", "float": "decimal", "double": "decimal", "numeric": "decimal", "amount": "money",
    "percent": "decimal", "percentage": "decimal", "rate": "decimal",
    "currency": "money", "datetime": "date", "day": "date", "list": "list of string",
}  # fmt: skip
"""What types are called elsewhere."""
_BOUNDED = (FactKind.INTEGER, FactKind.DECIMAL, FactKind.MONEY, FactKind.DATE)
_KEYS = (
    "one_of", "min", "max", "optional", "max_age", "verified", "when_missing", "when_old", "when_unverified",
    "changeable", "label",
)  # fmt: skip


def read_facts(reader: PolicyReader, node: Node) -> dict[str, FactDefinition]:
    """Read every fact; one that cannot be understood is left out, with its problems noted."""
    facts: dict[str, FactDefinition] = {}
    for key, value in reader.entries(node, "`facts`"):
        name = usable_name(reader, key) or other_name(key)
        definition = _fact(reader, name or key.text, key.span, value)
        if name and definition:  # also under the name that it should have had, so that others find it
            facts[name] = definition
    return facts


def other_name(key: ScalarNode) -> str:
    """Return the name that a key with blanks in it should have had; empty: it is one, or can be none."""
    found = plain_name(key.text)
    return found if found != key.text else ""


def usable_name(reader: PolicyReader, key: ScalarNode) -> str | None:
    """Return a name that the author chose, if expressions can use it."""
    name = reader.name(key, "a name in expressions")
    if name in KEYWORDS or name == "reasons":
        advice = f"choose another name, for instance `{name}_value`"
        reader.error("reserved-name", f"`{name}` has a meaning of its own in expressions", key.span, advice)
        return None
    return name


def _fact(reader: PolicyReader, name: str, span: Span, node: Node) -> FactDefinition | None:
    what = f"fact `{name}`"
    fields = reader.fields(node, what, ["type"], _KEYS)
    if fields is None or "type" not in fields:
        return None
    kind = _kind(reader, fields["type"], what)
    if kind is None:
        return None
    minimum, maximum = (_bound(reader, fields, key, what, kind) for key in ("min", "max"))
    definition = FactDefinition(
        name, kind, span,
        one_of=_one_of(reader, fields, what, kind),
        minimum=minimum,
        maximum=maximum,
        optional=optional(fields, "optional", reader.boolean, f"`optional` of {what}") or False,
        max_age=optional(fields, "max_age", reader.period, f"`max_age` of {what}"),
        verified=optional(fields, "verified", reader.boolean, f"`verified` of {what}") or False,
        when_missing=_fact_answer(reader, fields, "when_missing", what, kind),
        when_old=_fact_answer(reader, fields, "when_old", what, kind),
        when_unverified=_fact_answer(reader, fields, "when_unverified", what, kind),
        changeable=optional(fields, "changeable", reader.boolean, f"`changeable` of {what}") is not False,
        label=reader.localized(fields["label"], f"`label` of {what}") if "label" in fields else {},
    )  # fmt: skip
    _check(reader, definition, fields)
    return definition


def _kind(reader: PolicyReader, node: Node, what: str) -> FactKind | None:
    """Read the type of a fact; a misspelt one is noted, and goes on as what was meant."""
    word = reader.text(node, f"`type` of {what}")
    if word is None or word in _KINDS:
        return _KINDS.get(word or "")
    meant = _CALLED.get(word.casefold()) or suggest(word, _KINDS)
    advice = f"did you mean `{meant}`?" if meant else did_you_mean(word, _KINDS, of="one of")
    reader.error("unknown-choice", f"`{word}` is not a type of {what}", node.span, advice)
    return _KINDS.get(meant or "")


def _one_of(reader: PolicyReader, fields: dict[str, Node], what: str, kind: FactKind) -> tuple[str, ...]:
    if "one_of" not in fields:
        return ()
    node = fields["one_of"]
    if kind not in (FactKind.STRING, FactKind.STRINGS):
        advice = "bound numbers and dates with `min` and `max`"
        reader.error(
            "one-of-not-text", f"`one_of` of {what} lists texts; the fact is {kind}", node.span, advice
        )
        return ()
    options = reader.list_of(node, f"`one_of` of {what}", reader.text)
    reader.note_twice(node, f"`one_of` of {what}")
    return options


def _bound(
    reader: PolicyReader, fields: dict[str, Node], key: str, what: str, kind: FactKind
) -> Decimal | date | None:
    if key not in fields:
        return None
    if kind not in _BOUNDED:
        message = f"`{key}` of {what} bounds a number or a date; the fact is {kind}"
        advice = "write what it can be in `one_of: [...]`" if kind is FactKind.STRING else "remove it"
        reader.error("bound-not-ordered", message, fields[key].span, advice)
        return None
    return reader.bound(fields[key], f"`{key}` of {what}", kind)


def _fact_answer(
    reader: PolicyReader, fields: dict[str, Node], key: str, what: str, kind: FactKind
) -> Answer | None:
    node = fields.get(key)
    return None if node is None else read_answer(reader, node, f"`{key}` of {what}", kind)


def read_answer(reader: PolicyReader, node: Node, what: str, kind: FactKind | None = None) -> Answer | None:
    """Read `{refuse, reason: CODE}`, `{refer, reason: CODE}` or, for a fact, `{default: 0, reason: CODE}`."""
    actions = ["refuse", "refer"] if kind is None else ["default", "refuse", "refer"]
    if isinstance(node, ScalarNode):
        plain = f"default: {node.text}" if kind is not None and not node.is_null else "refer"
        said = node.text if node.text in actions else plain
        advice = (
            f"write `{{{'refer' if said == 'default' else said}, reason: CODE}}`, with a code of `reasons`"
        )
        reader.error("not-a-map", f"{what} says no reason", node.span, advice)
        return None
    fields = reader.fields(node, what, ["reason"], actions)
    if fields is None:
        return None
    chosen = [action for action in actions if action in fields]
    if len(chosen) != 1:
        forms = " or ".join(f"`{{{'default: 0' if a == 'default' else a}, reason: CODE}}`" for a in actions)
        said = "more than one thing" if chosen else "nothing"
        reader.error("answer-unclear", f"{what} says {said} to do", node.span, f"write {forms}")
        return None
    reason = optional(fields, "reason", reader.text, f"`reason` of {what}")
    place = fields["reason"].span if "reason" in fields else node.span
    action, value = chosen[0], fields[chosen[0]]
    if action == "default" and kind is not None:
        default = reader.fact_value(value, f"`default` of {what}", kind)
        return (
            Answer("default", reason, node.span, default, place) if reason and default is not None else None
        )
    if not isinstance(value, ScalarNode) or not is_bare(value):
        reader.error(
            "answer-unclear", f"`{action}` of {what} takes no value", value.span, f"write `{action}` alone"
        )
        return None
    return (
        Answer("refuse" if action == "refuse" else "refer", reason, node.span, None, place)
        if reason
        else None
    )


def _check(reader: PolicyReader, fact: FactDefinition, fields: dict[str, Node]) -> None:
    what = f"fact `{fact.name}`"
    if fact.minimum is not None and fact.maximum is not None and fact.minimum > fact.maximum:  # type: ignore[operator]  # of one kind, by _bound
        message = f"{what} has a `min` of {fact.minimum} above its `max` of {fact.maximum}"
        advice = f"exchange the two: `min: {fact.maximum}, max: {fact.minimum}`"
        reader.error("bounds-crossed", message, fields["min"].span, advice)
    for key, needed_by, asked in (
        ("when_old", "max_age", fact.max_age is not None and not fact.when_old),
        ("when_unverified", "verified", fact.verified and not fact.when_unverified),
    ):
        if asked and not fact.when_missing and key not in fields and "when_missing" not in fields:
            message = f"{what} has `{needed_by}`, but nothing says what then"
            advice = f"add `{key}: {{refer, reason: CODE}}`, or `when_missing` for both"
            reader.error("answer-missing", message, fields[needed_by].span, advice)
    for key, answer in (
        ("when_missing", fact.when_missing),
        ("when_old", fact.when_old),
        ("when_unverified", fact.when_unverified),
    ):
        if answer and answer.action == "default" and (wrong := out_of_range(fact, answer.default)):
            advice = "write a default that the fact can have, or change what it can be"
            if fact.minimum is not None and "the least" in wrong:
                advice = f"let it be `{fact.minimum}` or more, or lower `min`"
            elif fact.maximum is not None and "the most" in wrong:
                advice = f"let it be `{fact.maximum}` or less, or raise `max`"
            reader.error("default-out-of-range", f"the default of {what} {wrong}", answer.span, advice)
        if answer and needs(key) and needs(key) not in fields:
            message = f"`{key}` of {what} never applies: there is no `{needs(key)}`"
            example = {"max_age": "max_age: P3M", "optional": "optional: true"}.get(
                needs(key), f"{needs(key)}: true"
            )
            reader.warn("answer-idle", message, answer.span, f"add `{example}`, or remove it")


def needs(key: str) -> str:
    """Return the key without which an answer never applies."""
    return {"when_old": "max_age", "when_unverified": "verified"}.get(key, "")


def out_of_range(fact: FactDefinition, value: object) -> str:
    """Return how a value of the right kind breaks the fact's bounds, in words; empty if it does not."""
    if isinstance(value, str | tuple) and fact.one_of:
        wrong = [item for item in ((value,) if isinstance(value, str) else value) if item not in fact.one_of]
        return f"is `{wrong[0]}`, which is not one of {', '.join(fact.one_of)}" if wrong else ""
    if fact.minimum is not None and value < fact.minimum:  # type: ignore[operator]  # the kind was checked before
        return f"is {value}; the least is {fact.minimum}"
    if fact.maximum is not None and value > fact.maximum:  # type: ignore[operator]  # as above
        return f"is {value}; the most is {fact.maximum}"
    return ""
