"""Currencies of ISO 4217: the codes in use, and how many decimals an amount has."""

from __future__ import annotations

from decimal import Decimal

from engine.text.suggest import suggest

_ACTIVE = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
    CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD
    HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD
    LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK
    PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
    TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"""
_NO_MONEY = {
    "XAU": "gold", "XAG": "silver", "XPT": "platinum", "XPD": "palladium",
    "XBA": "a unit of bond markets", "XBB": "a unit of bond markets", "XBC": "a unit of bond markets",
    "XBD": "a unit of bond markets", "XDR": "the special drawing right of the IMF",
    "XSU": "a unit of account of a payment system", "XUA": "a unit of account of a development bank",
    "XTS": "kept for tests", "XXX": "no currency at all",
    "BOV": "a unit of funds", "CHE": "a unit of funds", "CHW": "a unit of funds", "CLF": "a unit of funds",
    "COU": "a unit of funds", "MXV": "a unit of funds", "USN": "a unit of funds", "UYI": "a unit of funds",
    "UYW": "a unit of funds",
}  # fmt: skip
"""Codes of ISO 4217 in which nobody is billed, and what they stand for."""
_NO_CENTS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
CODES = frozenset(_ACTIVE.split())
_DECIMALS = {**dict.fromkeys(_NO_CENTS.split(), 0), **dict.fromkeys(_THOUSANDTHS.split(), 3)}
_CALLED = {"RMB": "CNY", "CNH": "CNY", "NTD": "TWD", "¥": "CNY", "￥": "CNY", "元": "CNY", "人民币": "CNY",
           "YUAN": "CNY", "€": "EUR", "EURO": "EUR", "$": "USD", "US$": "USD", "£": "GBP"}  # fmt: skip


def decimals(currency: str) -> int:
    """Return how many decimals an amount of a currency has; 2 for a code that is not known."""
    return _DECIMALS.get(currency, 2)


def smallest(currency: str) -> Decimal:
    """Return the smallest amount of a currency: one cent, one yen."""
    return Decimal(1).scaleb(-decimals(currency))


def currency_advice(text: str) -> str:
    """Return an advice on a text that is no code of a currency."""
    word = text.strip().upper()
    if word in _NO_MONEY:
        return f"`{word}` of ISO 4217 is {_NO_MONEY[word]}; write the currency of the bills: `CNY`"
    near = _CALLED.get(word) or (word if word in CODES else suggest(word, CODES))
    return f"write `{near}`, as in ISO 4217" if near else "write the three letters of ISO 4217: `CNY`"
