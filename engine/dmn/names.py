"""The names that DMN gives to its versions and languages."""

from __future__ import annotations

from typing import Final

MODEL_NAMESPACES: Final = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}
"""The namespace of a model and the version of the standard that it stands for."""
MODEL: Final = "https://www.omg.org/spec/DMN/20230324/MODEL/"
DMNDI: Final = "https://www.omg.org/spec/DMN/20230324/DMNDI/"
DMNDI_NAMESPACES: Final = frozenset(
    (
        "http://www.omg.org/spec/DMN/20180521/DMNDI/", "https://www.omg.org/spec/DMN/20191111/DMNDI/",
        "https://www.omg.org/spec/DMN/20211108/DMNDI/", DMNDI,
    )
)  # fmt: skip
"""The namespace of diagrams; a model without them has the same meaning."""
FEEL_NAMESPACES: Final = frozenset(
    (
        "http://www.omg.org/spec/FEEL/20140401", "http://www.omg.org/spec/DMN/20180521/FEEL/",
        "https://www.omg.org/spec/DMN/20191111/FEEL/", "https://www.omg.org/spec/DMN/20211108/FEEL/",
        "https://www.omg.org/spec/DMN/20230324/FEEL/",
    )
)  # fmt: skip
TYPE_ALIASES: Final = {
    "dateTime": "date and time", "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration", "any": "Any",
    **dict.fromkeys(("integer", "long", "int", "short", "double", "float", "decimal"), "number"),
    "datetime": "date and time", "text": "string", "bool": "boolean",
}  # fmt: skip
"""What older tools, and Camunda's engines, write for FEEL's own types."""


def is_feel(language: str | None) -> bool:
    """Tell whether an expression language is FEEL, in any version and spelling."""
    return not language or language in FEEL_NAMESPACES or language.strip().lower() == "feel"
