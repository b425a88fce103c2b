"""Telemetry: REPORT lines in and out.

`parse_reports` reads what Lambda logged, `format_report` writes it, `reports` turns a trace into
such invocations, `usage_of_reports` turns invocations into what is billed. May import: the
standard library, `simulations.facts`, `simulations.pricing`, `simulations.trace`.
"""

from simulations.telemetry.invocation import Invocation, format_report
from simulations.telemetry.reports import Reports, parse_reports
from simulations.telemetry.trace_reports import reports, usage_of_reports

__all__ = [
    "Invocation",
    "Reports",
    "format_report",
    "parse_reports",
    "reports",
    "usage_of_reports",
]
