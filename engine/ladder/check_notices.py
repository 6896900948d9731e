"""What is wrong with notices: texts that are missing, figures that there are not, channels nobody knows."""

from __future__ import annotations

from collections.abc import Iterator

from engine.credit.model import FactKind
from engine.ladder.caps import covered
from engine.ladder.channels import LANGUAGE, OPTED_OUT, PREFERRED_CHANNEL
from engine.ladder.contact import TIMEZONE
from engine.ladder.ladders_from_yaml import PREFERRED
from engine.ladder.model import CollectionsPolicy, DoItem, Ladder, LadderRow
from engine.ladder.notices import FIGURE, FIGURES, FOLLOWING
from engine.source import Problem, Severity, Span
from engine.text import Reader, did_you_mean

_TEXT, _TEXTS = (FactKind.STRING,), (FactKind.STRINGS,)
_KINDS = {PREFERRED_CHANNEL: _TEXT, LANGUAGE: _TEXT, TIMEZONE: _TEXT, OPTED_OUT: (*_TEXTS, *_TEXT)}


def check_notices(reader: Reader, policy: CollectionsPolicy) -> None:
    """Note every mistake in texts of notices, and in what decides how they go out."""
    _check_texts(reader, policy)
    _check_languages(reader, policy)
    _check_facts(reader, policy)
    for item in _notices(policy):
        _check_preferred(reader, policy, item)
    for ladder in policy.ladders.values():
        for row in ladder.rows:
            _check_caps(reader, policy, row)
            _check_following(reader, policy, ladder, row)


def _notices(policy: CollectionsPolicy) -> Iterator[DoItem]:
    items = [item for row in policy.rows() for item in row.do]
    items += [item for reminder in policy.before_due for item in reminder.do]
    return (item for item in items if item.do == "notify")


def _check_texts(reader: Reader, policy: CollectionsPolicy) -> None:
    for name, languages in policy.templates.items():
        for language, text in languages.items():
            file = f"templates/{name}.{language}.txt"
            for number, line in enumerate(text.splitlines(), 1):
                for found in FIGURE.finditer(line):
                    span = Span(file, number, found.start() + 1, len(found[0]))
                    if found[1] not in FIGURES:
                        advice = did_you_mean(found[1], FIGURES, of="figures")
                        reader.error("unknown-figure", f"notices have no figure `{found[1]}`", span, advice)
                    elif found[1] == "opt_out" and language not in policy.contact.opt_out:
                        message = f"`contact` says nothing in `opt_out` for the language `{language}`"
                        advice = f"add `opt_out: {{{language}: ...}}` to `contact`"
                        reader.error("unknown-figure", message, span, advice)


def _check_languages(reader: Reader, policy: CollectionsPolicy) -> None:
    span = policy.contact.spans.get("languages", Span("", 1, 1))
    for item in {item.args[1]: item for item in _notices(policy)}.values():
        texts = policy.templates.get(item.args[1])
        for language in policy.contact.languages if texts is not None else ():
            if texts is not None and language not in texts:
                message = f"`{item}` has no text in the language `{language}`"
                related = (("the languages stand here", span),)
                advice = f"add `templates/{item.args[1]}.{language}.txt`"
                reader.error("missing-language", message, item.span, advice, related)


def _check_facts(reader: Reader, policy: CollectionsPolicy) -> None:
    for name, kinds in _KINDS.items():
        fact = policy.facts.get(name)
        if fact is not None and fact.kind not in kinds:
            wanted = "{type: list of string}" if name == OPTED_OUT else "{type: string}"
            message = f"the fact `{name}` decides how customers are spoken to; it is of type {fact.kind}"
            reader.error("fact-type", message, fact.span, f"declare it as `{name}: {wanted}`")


def _check_preferred(reader: Reader, policy: CollectionsPolicy, item: DoItem) -> None:
    if item.args[0] != PREFERRED:
        return
    if PREFERRED_CHANNEL not in policy.facts:
        advice = f"add `{PREFERRED_CHANNEL}: {{type: string, optional: true}}` to `facts`"
        message = f"`{item}` needs the fact `{PREFERRED_CHANNEL}`"
        reader.error("no-preferred-channel", message, item.span, advice)
    if not policy.contact.fallback and "fallback" not in policy.contact.spans:  # what is wrong in it was told
        message = f"`{item}` says nothing for customers who prefer no channel"
        reader.error("no-fallback", message, item.span, "add `fallback: [sms, email, letter]` to `contact`")


def _check_caps(reader: Reader, policy: CollectionsPolicy, row: LadderRow) -> None:
    for kind, most, period in policy.contact.caps:
        sent = [item for item in row.do if item.do == "notify" and item.args[0] in covered(kind)]
        if len(sent) > most:
            message = f"`{row.step}` sends {len(sent)} at once; the cap of `{kind}` is {most} per {period}"
            reader.warn("over-the-cap", message, row.span, "send one, or raise the cap")


def _check_following(reader: Reader, policy: CollectionsPolicy, ladder: Ladder, row: LadderRow) -> None:
    """Note texts that say what happens next, where nothing does."""
    found = [(other, ladder.by_step.get(other.after)) for other in ladder.rows if other.after]
    sound = ladder.complete and all(before and before.index < other.index for other, before in found)
    if not sound or any(other.after == row.step for other in ladder.rows):
        return
    for item in row.do:
        texts = policy.templates.get(item.args[1], {}) if item.do == "notify" else {}
        stated = [name for text in texts.values() for name in FIGURE.findall(text) if name in FOLLOWING]
        if stated:
            message = f"`{item}` states `{{{stated[0]}}}`, and no step comes after `{row.step}`"
            advice = "the figure will be a dash: write a text that says what is asked for, and no more"
            note = Problem("nothing-follows", message, item.span, advice, Severity.INFO)
            reader.take([note])
