"""DMN 1.5: models in XML read, linked, evaluated and written again; the conformance kit."""

from engine.dmn.evaluation import (
    Evaluation,
    NotInModel,
    evaluate_bkm,
    evaluate_decision,
    evaluate_service,
)
from engine.dmn.facts import facts_from_json, value_as_json
from engine.dmn.kit import CaseResult, Count, KitReport, kit_results, run_kit
from engine.dmn.limits import LIMITS, DmnLimits
from engine.dmn.loading import Model, load_model
from engine.dmn.to_xml import to_xml

__all__ = [
    "LIMITS", "CaseResult", "Count", "DmnLimits", "Evaluation", "KitReport", "Model", "NotInModel",
    "evaluate_bkm", "evaluate_decision", "evaluate_service", "facts_from_json", "kit_results", "load_model",
    "run_kit", "to_xml", "value_as_json",
]  # fmt: skip
