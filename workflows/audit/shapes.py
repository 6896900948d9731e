"""Which events our workflows have, and which fields of them.

A field that is not listed must be empty. What a listed field says is either compared with what the
workflow's code asks for, or followed from event to event, or chosen by Temporal or a worker: the last
kind (`SERVERS_OWN`) is vouched for only by the signature over the whole file.
"""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType as E  # a table of many names reads better so

from workflows.audit.expected import PATIENCE

SHARED = frozenset({"event_id", "event_time", "event_type", "task_id"})

_WORKER = {"identity", "worker_version"}
_TASK = {"scheduled_event_id", "started_event_id"}

SERVERS_OWN: dict[int, frozenset[str]] = {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: frozenset(
        {
            "identity", "attempt", "workflow_task_timeout", "first_workflow_task_backoff", "priority",
            "initiator", "prev_auto_reset_points", "header", "eager_execution_accepted",
            "workflow_execution_expiration_time", "time_skipping_config", "time_skipping_state_propagation",
            "root_workflow_execution", "workflow_run_timeout", "workflow_execution_timeout",
            # What a schedule tells the runs it starts; see structure.py.
            "search_attributes", "last_completion_result", "continued_failure",
        }
    ),
    E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: frozenset({"task_queue", "start_to_close_timeout", "attempt"}),
    E.EVENT_TYPE_WORKFLOW_TASK_STARTED: frozenset(
        {"request_id", "history_size_bytes", "build_id_redirect_counter", *_WORKER,
         "suggest_continue_as_new", "suggest_continue_as_new_reasons"}
    ),
    E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: frozenset({"sdk_metadata", "metering_metadata", *_WORKER}),
    E.EVENT_TYPE_WORKFLOW_TASK_FAILED: frozenset({"cause", "failure", *_WORKER}),
    E.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: frozenset({"timeout_type"}),
    E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: frozenset(
        {"header", "priority", *PATIENCE}
    ),
    E.EVENT_TYPE_ACTIVITY_TASK_STARTED: frozenset(
        {"request_id", "attempt", "last_failure", "build_id_redirect_counter", *_WORKER}
    ),
    E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: frozenset(_WORKER),
    E.EVENT_TYPE_ACTIVITY_TASK_FAILED: frozenset({"retry_state", *_WORKER}),
    E.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: frozenset({"retry_state"}),
    E.EVENT_TYPE_TIMER_CANCELED: frozenset({"identity"}),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: frozenset({"identity", "header", "request_id"}),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: frozenset(
        {"inherit_build_id", "initiator", "workflow_run_timeout", "workflow_task_timeout", "header",
         "task_queue"}
    ),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: frozenset({"retry_state"}),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: frozenset({"identity", "cause"}),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: frozenset({"identity", "reason", "details"}),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: frozenset(
        {"identity", "unset_versioning_override", "priority", "time_skipping_config",
         "time_skipping_config_updated"}
    ),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED: frozenset(
        {"target_time", "disabled_after_fast_forward", "wall_clock_time"}
    ),
}  # fmt: skip
"""Fields that only Temporal and the workers can know."""

_CHECKED: dict[int, set[str]] = {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: {
        "workflow_type", "task_queue", "input", "continued_execution_run_id", "original_execution_run_id",
        "first_execution_run_id", "workflow_id",
    },
    E.EVENT_TYPE_WORKFLOW_TASK_STARTED: {"scheduled_event_id"},
    E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: _TASK,
    E.EVENT_TYPE_WORKFLOW_TASK_FAILED: _TASK,
    E.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: _TASK,
    E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: {
        "activity_id", "activity_type", "task_queue", "input", "workflow_task_completed_event_id",
    },
    E.EVENT_TYPE_ACTIVITY_TASK_STARTED: {"scheduled_event_id"},
    E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: {"result", *_TASK},
    E.EVENT_TYPE_ACTIVITY_TASK_FAILED: {"failure", *_TASK},
    E.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: {"failure", *_TASK},
    E.EVENT_TYPE_TIMER_STARTED: {"timer_id", "start_to_fire_timeout", "workflow_task_completed_event_id"},
    E.EVENT_TYPE_TIMER_FIRED: {"timer_id", "started_event_id"},
    E.EVENT_TYPE_TIMER_CANCELED: {"timer_id", "started_event_id", "workflow_task_completed_event_id"},
    E.EVENT_TYPE_MARKER_RECORDED: {"marker_name", "details", "failure", "workflow_task_completed_event_id"},
    E.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: {"search_attributes", "workflow_task_completed_event_id"},
    E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: {"signal_name", "input"},
    E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {"result", "workflow_task_completed_event_id"},
    E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {"failure", "workflow_task_completed_event_id"},
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: {"workflow_task_completed_event_id"},
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: {
        "new_execution_run_id", "workflow_type", "input", "workflow_task_completed_event_id",
    },
}  # fmt: skip

FIELDS: dict[int, frozenset[str]] = {
    kind: frozenset(_CHECKED.get(kind, set()) | SERVERS_OWN.get(kind, frozenset()))
    for kind in {*_CHECKED, *SERVERS_OWN}
}
CLOSING = frozenset(
    {
        E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)
SIMULATED = frozenset(
    {
        E.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
    }
)
"""Events that say that somebody moved the clock."""
NEWS = SIMULATED | {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
    E.EVENT_TYPE_ACTIVITY_TASK_STARTED,
    E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
    E.EVENT_TYPE_ACTIVITY_TASK_FAILED,
    E.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
    E.EVENT_TYPE_TIMER_FIRED,
}
"""Events that can come while a workflow task is under way; they keep the time at which they came."""
