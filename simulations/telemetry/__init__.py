"""Telemetry: logs, metrics and bills' lines in and out.

`parse_reports` reads what Lambda logged, `format_report` writes it, `reports` turns a trace into
such invocations, `usage_of_reports` turns invocations into what is billed. `parse_metrics` reads
CloudWatch's exports. `bill_of_reports`, `bill_of_metrics` and `bill_of_cur` bill what was
recorded and name what they cannot price. May import: the standard library, `simulations.facts`,
`simulations.pricing`, `simulations.trace`.
"""

from simulations.telemetry.invocation import Invocation, format_report
from simulations.telemetry.metered import Metered, usage_of_metrics
from simulations.telemetry.metrics import Metric, Metrics, parse_metrics
from simulations.telemetry.recorded import (
    RecordedBill,
    bill_of_cur,
    bill_of_metrics,
    bill_of_reports,
)
from simulations.telemetry.reports import Reports, parse_reports
from simulations.telemetry.trace_reports import reports, usage_of_reports

__all__ = [
    "Invocation",
    "Metered",
    "Metric",
    "Metrics",
    "RecordedBill",
    "Reports",
    "bill_of_cur",
    "bill_of_metrics",
    "bill_of_reports",
    "format_report",
    "parse_metrics",
    "parse_reports",
    "reports",
    "usage_of_metrics",
    "usage_of_reports",
]
