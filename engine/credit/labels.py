"""What people call a fact or a result: by the policy's own `label`, by ours, or by the words of its name."""

from __future__ import annotations

from collections.abc import Mapping

from engine.credit.model import CreditPolicy

LANGUAGES = ("en", "zh")
"""The languages in which sentences are made; the first is taken where nobody asks for one."""
_LABELS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "tenure_months": "time with us", "avg_monthly_bill": "average monthly bill",
        "max_dpd_12m": "longest delay of a bill in the last year", "dpd_now": "longest delay of a bill today",
        "on_time_rate_12m": "share of bills paid on time in the last year",
        "promises_kept_rate_12m": "share of promises kept in the last year",
        "arrears_count_12m": "number of times in arrears in the last year",
        "late_count_12m": "number of bills paid late in the last year",
        "returned_payments_12m": "number of returned payments in the last year",
        "suspensions_12m": "number of suspensions in the last year",
        "broken_promises_12m": "number of broken promises in the last year",
        "overdue_now": "overdue amount", "contribution_12m": "amount paid in the last year",
        "deposit_held": "deposit that we hold", "id_verified": "verified identity",
        "direct_debit": "payment by direct debit", "prior_write_off": "an earlier write-off",
        "value": "customer value", "segment": "customer segment",
        "grade": "grade", "credit_limit": "credit limit", "deposit": "deposit", "score": "score",
    },
    "zh": {
        "tenure_months": "在网时间", "avg_monthly_bill": "月均账单", "max_dpd_12m": "近一年账单最长逾期",
        "dpd_now": "目前账单最长逾期", "on_time_rate_12m": "近一年按时付款比例",
        "promises_kept_rate_12m": "近一年承诺履行比例", "arrears_count_12m": "近一年欠费次数",
        "late_count_12m": "近一年迟付账单数", "returned_payments_12m": "近一年退回付款次数",
        "suspensions_12m": "近一年停机次数", "broken_promises_12m": "近一年违约承诺次数",
        "overdue_now": "逾期金额", "contribution_12m": "近一年付款金额", "deposit_held": "已存押金",
        "id_verified": "身份核验", "direct_debit": "自动扣款", "prior_write_off": "曾有核销记录",
        "value": "客户价值", "segment": "客户类别", "grade": "信用等级", "credit_limit": "信用额度",
        "deposit": "押金", "score": "信用评分",
    },
}  # fmt: skip


def label(name: str, language: str, policy: CreditPolicy | None = None) -> str:
    """Return what people call a fact or a result in one of `LANGUAGES`."""
    return known_label(name, language, policy) or name.replace("_", " ")


def known_label(name: str, language: str, policy: CreditPolicy | None = None) -> str:
    """Return what the policy, or else the house, calls a fact or a result; empty where neither says."""
    fact = policy.facts.get(name) if policy else None
    return (fact.label.get(language) if fact else None) or _LABELS.get(language, {}).get(name, "")
