"""Small policies of the tests' own, so that the shipped ones can change without breaking them."""

from __future__ import annotations

COLLECTIONS = b"""policy: plain-collections
kind: collections
version: "1"
effective: {from: 2026-01-01}
regulation: plain-law
timezone: Asia/Shanghai
currency: CNY
facts:
  segment: {type: string, optional: true}
case:
  opens: overdue >= 20.00 and age >= 1
  closes: overdue < 5.00
  revive: P30D
ladders:
  standard: |
    | step      | age   | overdue  | after    | wait | do                             | release when   |
    | reminder  | >= 3  | -        | -        | -    | notify(sms, reminder)          | -              |
    | final     | >= 10 | >= 50.00 | reminder | P3D  | notify(letter, final)          | -              |
    | bar       | >= 31 | >= 50.00 | final    | P7D  | service(outgoing_barred)       | overdue < 5.00 |
    | suspend   | >= 45 | >= 50.00 | bar      | P7D  | service(suspended), task(call) | overdue < 5.00 |
    | write_off | >= 90 | -        | suspend  | -    | approve(write_off), write_off  | final          |
    | small     | >= 200 | < 50.00 | reminder | -    | approve(small), write_off      | final          |
treatment:
  hit: FIRST
  table: |
    | segment || ladder   |
    | -       || standard |
contact: {quiet_hours: 21:00-08:00, valid: P90D}
interruptions: {window: 09:00-16:00}
holds: {hardship: {clock: stops, taken: keep, for: P30D, then: task(review)}}
"""

LAW = b"""law: plain-law
title: The law of the tests
in_force: 2000-01-01
clauses:
  - {clause: cut-after-30, rule: interruption, days_past_due: "> 30", says: {en: not before}, source: made up}
"""

PORTFOLIO = b"""credit: {by: segment, consumer: plain-credit}
collections: plain-collections
"""

CREDIT = b"""policy: plain-credit
kind: credit
version: "1"
effective: {from: 2026-01-01}
currency: CNY
facts:
  tenure_months:    {type: integer, min: 0}
  avg_monthly_bill: {type: money, optional: true, when_missing: {default: 50.00, reason: NO_BILL_YET}}
decisions:
  grade:
    hit: UNIQUE
    table: |
      | tenure_months  || grade | reason       |
      | < 12           || B     | SHORT_TENURE |
      | [12..1200)     || A     |              |
      | [1200..2400)   || C     |              |
      | >= 2400        || D     |              |
  credit_limit: avg_monthly_bill * 3
outcome: {grade: grade.grade, credit_limit: {money: credit_limit}}
reasons:
  SHORT_TENURE: {en: customer for less than a year}
  NO_BILL_YET: {en: there is no bill yet}
"""
