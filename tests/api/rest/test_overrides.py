"""Overrides within a role's authority, for a time; and decisions in the words of officer and customer."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Client, Response

from api.settings import Authority, Settings, SettingsError, read_settings
from api.storage.audit import links
from api.wiring import Wiring
from tests.api.conftest import START, Build
from tests.api.policies import CREDIT
from tests.api.rest.conftest import Serve, parties
from tests.api.rest.test_gate import slug
from tests.api.storage.test_decisions import a_record

AT = "2026-06-02T10:00:00+08:00"
ROLES = {
    "officer": Authority(most={"credit_limit": "150.00"}, days=30),
    "manager": Authority(most={"credit_limit": "any", "grade": "any"}),
}


@pytest.fixture
def wiring(builder: Build, database_url: str) -> Wiring:
    made = builder(database=database_url)
    made.settings = made.settings.model_copy(update={"authority": ROLES})
    return made


@pytest.fixture
def api(wiring: Wiring, serve: Serve) -> Client:
    client = serve(wiring)
    parties(client)
    wiring.decisions.record([a_record(wiring, "r1", 24)])
    return client


def put(api: Client, **changes: Any) -> Response:
    said = {
        "id": "OV-1", "outcome": {"credit_limit": "120.00"}, "reason": "guarantee", "actor": "li.wei",
        "role": "officer", "until": "2026-06-20", "received_at": AT,
    }  # fmt: skip
    return api.post("/v1/decisions/assessment/r1/overrides", json=said | changes)


def limit(api: Client, at: str) -> str:
    found: str = api.get("/v1/accounts/A1/exposure", params={"at": at}).json()["credit_limit"]
    return found


def test_an_override_counts_for_its_time_and_leaves_the_decision(api: Client, wiring: Wiring) -> None:
    decided = limit(api, AT)
    made = put(api)
    assert made.status_code == 201, made.text
    assert made.json()["outcome"]["credit_limit"] == {"unit": "CNY", "value": "120.00"}
    assert put(api).status_code == 200
    assert limit(api, "2026-06-20T23:00:00+00:00") == "120.00"
    assert limit(api, "2026-06-21T10:00:00+00:00") == decided, "it has expired"
    whole = api.get("/v1/decisions/assessment/r1").json()
    assert whole["outcome"]["credit_limit"]["value"] == decided
    listed = api.get("/v1/decisions/assessment/r1/overrides", params={"at": AT}).json()
    assert [(i["id"], i["reason"], i["actor"]) for i in listed["items"]] == [("OV-1", "guarantee", "li.wei")]
    with wiring.database.read() as session:
        assert [link.subject for link in links(session) if link.kind == "override"] == ["OV-1"]


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"outcome": {"credit_limit": "150.01"}}, 403, "150.00 at most"),
        ({"outcome": {"grade": "A"}}, 403, "may not override `grade`"),
        ({"role": "manger"}, 403, "did you mean `manager`"),
        ({"until": "2026-07-03"}, 403, "for 30 days: until 2026-07-02"),
        ({"until": "2026-06-01"}, 422, "`until` 2026-06-01 is over"),
        ({"until": "1999-01-01"}, 422, '"/until"'),
        (
            {"role": "manager", "outcome": {"grade": "Z"}},
            422,
            "`Z` is no `grade` of this policy: `B`, `A`, `C`, `D`.",
        ),
        ({"role": "manager", "outcome": {"grade": "a"}}, 422, "`B`, `A`, `C`, `D`"),
        ({"role": "manager", "outcome": {"grade": ""}}, 422, '"/outcome/grade"'),
        ({"outcome": {"credit_limit": "100.001"}}, 422, "CNY has 2 decimals"),
        ({"outcome": {"credit_limit": "1e40"}}, 422, "too much"),
        ({"outcome": {"credit_limit": "-1"}}, 422, "is an amount"),
        ({"outcome": {"credit_limit": "NaN"}}, 422, "is an amount"),
        ({"actor": ""}, 422, '"/actor"'),
        ({"role": ""}, 422, '"/role"'),
        ({"outcome": {"reasons": "none"}, "role": "manager"}, 422, "has no `reasons`"),
        ({"outcome": {"credit_limt": "1"}}, 422, "did you mean `credit_limit`"),
        ({"outcome": {"credit_limit": "much"}}, 422, "is an amount"),
        ({"outcome": {"credit_limit": True}}, 422, "is an amount"),
        ({"outcome": {"grade": 1}, "role": "manager"}, 422, "is no `grade`"),
        ({"outcome": {}}, 422, ""),
        ({"reason": " "}, 422, "blank"),
    ],
)
def test_what_is_beyond_authority_or_sense_is_refused(
    api: Client, changes: dict[str, Any], status: int, says: str
) -> None:
    answer = put(api, **changes)
    assert answer.status_code == status, answer.text
    assert says in answer.text
    assert api.get("/v1/decisions/assessment/r1/overrides").json()["items"] == []


def test_other_kinds_of_results_are_held_to_the_policy_as_well(builder: Build, serve: Serve) -> None:
    more = b"  score: tenure_months * 2\n  vip: tenure_months > 12\noutcome: {score: score, vip: vip, "
    wiring = builder()
    wiring.settings = wiring.settings.model_copy(
        update={"authority": {"all": Authority(most=dict.fromkeys(("score", "vip"), "any"))}}
    )
    wiring.publisher.publish({"policy.yaml": CREDIT.replace(b"outcome: {", more)}, START)
    api = serve(wiring)
    parties(api)
    wiring.decisions.record([a_record(wiring, "r1", 24)])
    for outcome, status, says in (
        ({"score": "high"}, 422, "`score` is a number"),
        ({"score": True}, 422, "`score` is a number"),
        ({"vip": "yes"}, 422, "`vip` is `true` or `false`"),
        ({"score": 30, "vip": False}, 201, '"score":"30"'),
    ):
        answer = put(api, outcome=outcome, role="all")
        assert (answer.status_code, says in answer.text) == (status, True), answer.text


def test_an_amount_of_a_currency_without_cents_has_none(builder: Build, serve: Serve) -> None:
    wiring = builder()
    wiring.settings = wiring.settings.model_copy(update={"authority": ROLES})
    yen = CREDIT.replace(b"currency: CNY", b"currency: JPY").replace(b"50.00", b"50")
    wiring.publisher.publish({"policy.yaml": yen}, START)
    api = serve(wiring)
    parties(api)
    wiring.decisions.record([a_record(wiring, "r1", 24, bill="33")])
    assert "JPY has 0 decimals" in put(api, outcome={"credit_limit": "100.5"}).text
    assert put(api, outcome={"credit_limit": "100.00"}).status_code == 201


def test_the_latest_counts_and_one_id_is_one_override(api: Client) -> None:
    put(api)
    other = put(api, reason="other")
    assert (other.status_code, slug(other.json())) == (409, "conflict")
    later = put(api, id="OV-2", role="manager", until=None, received_at="2026-06-03T10:00:00+08:00",
                outcome={"credit_limit": "900.00", "grade": "B"})  # fmt: skip
    assert later.json()["outcome"]["grade"] == "B"
    assert later.json()["items"][1]["until"] == "2026-09-01"
    assert limit(api, "2026-06-04T10:00:00+08:00") == "900.00"
    assert api.post("/v1/decisions/none/overrides", json={}).status_code == 422
    assert put(api, id="OV-3").status_code == 201


def test_nobody_overrides_unless_the_settings_say_so(builder: Build, serve: Serve) -> None:
    wiring = builder()
    api = serve(wiring)
    parties(api)
    wiring.decisions.record([a_record(wiring, "r1", 24)])
    assert (put(api).status_code, slug(put(api).json())) == (403, "beyond-authority")


def test_authority_is_read_from_the_settings(tmp_path: Any) -> None:
    (tmp_path / "settings.toml").write_text(
        '[authority.officer]\nmost = {credit_limit = "10.00"}\ndays = 5\n'
    )
    assert read_settings({}, tmp_path).authority["officer"].days == 5
    (tmp_path / "settings.toml").write_text('[authority.officer]\nmost = {credit_limit = "lots"}\n')
    with pytest.raises(SettingsError, match="AUTHORITY"):
        read_settings({}, tmp_path)
    assert Settings().authority == {}


def test_a_decision_in_the_words_of_each(api: Client) -> None:
    path = "/v1/decisions/assessment/r1/explanation"
    customer = api.get(path).json()
    assert customer["text"][0] == "We have decided as of 1 June 2026."
    assert "a person looks at" in customer["text"][-1]
    assert customer["facts"] == []
    assert not any("row " in line for line in customer["text"])
    chinese = api.get(path, params={"language": "zh"}).json()
    assert chinese["text"][0].startswith("我们已按2026年6月1日")
    officer = api.get(path, params={"audience": "officer"}).json()
    assert any("row " in line for line in officer["text"])
    facts = {fact["fact"]: fact for fact in officer["facts"]}
    tenure = facts["tenure_months"]
    assert (tenure["value"], tenure["true"], tenure["complete"], tenure["timely"]) == (24, True, True, True)
    assert tenure["standard"].startswith("integer")
    assert tenure["by_rule"].startswith("policy.yaml, line ")
    assert api.get("/v1/decisions/assessment/none/explanation").status_code == 404


@pytest.mark.parametrize(
    ("params", "accept", "language"),
    [
        ({}, None, "en"),
        ({}, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ({}, "fr-CH, fr;q=0.9, en;q=0.4, zh;q=0.5", "zh"),
        ({}, "fr, de", "en"),
        ({}, "zh;q=0, *;q=0.1", "en"),
        ({}, "zh;q=much,,;", "en"),
        ({"language": "zh-Hans-CN"}, "en", "zh"),
        ({"language": "EN"}, "zh", "en"),
    ],
)
def test_the_language_is_the_one_that_is_asked_for(
    api: Client, params: dict[str, str], accept: str | None, language: str
) -> None:
    headers = {"Accept-Language": accept} if accept is not None else {"Accept-Language": ""}
    found = api.get("/v1/decisions/assessment/r1/explanation", params=params, headers=headers)
    assert (found.status_code, found.json()["language"]) == (200, language)
    assert found.headers["content-language"] == language
    assert found.headers["vary"] == "Accept-Language"


def test_a_language_that_is_not_there_is_refused_by_name(api: Client) -> None:
    found = api.get("/v1/decisions/assessment/r1/explanation", params={"language": "fr"})
    assert (found.status_code, slug(found.json())) == (406, "not-acceptable")
    assert "`en`, `zh`" in found.json()["detail"]


def test_a_customer_reads_sentences_and_what_helps(api: Client, wiring: Wiring) -> None:
    wiring.decisions.record([a_record(wiring, "r2", 3)])
    path = "/v1/decisions/assessment/r2/explanation"
    said = api.get(path).json()
    assert said["text"] == [
        "We have decided as of 1 June 2026.", "Your grade: B.", "Your credit limit: 99.99 CNY.",
        "The main reasons:", "Customer for less than a year.", "What would change it:",
        *said["would_change"], "You can ask that a person looks at this decision again.",
    ]  # fmt: skip
    assert said["would_change"][0].startswith("If your time with us were 12 months")
    officer = " ".join(api.get(path, params={"audience": "officer"}).json()["text"])
    assert not any(word in officer for word in ("Decimal", "True", "False", "None", "'"))
