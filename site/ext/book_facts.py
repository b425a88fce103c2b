"""How a fact is asked for in prose and how it reads there: value, unit, conversions.

May import, of the library, `simulations.facts` and `simulations.figures.words`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulations.facts import Fact, fact
from simulations.figures.words import THIN, count, number

# what the last part of a key says about its unit
_SUFFIXES = {
    "s": "s", "ms": "ms", "min": "min", "h": "h", "days": "days", "mb": "MB", "kb": "KB",
    "gb": "GB", "tb": "TB", "kib": "KiB", "mib": "MiB", "b": "bytes", "pct": "%", "usd": "USD",
    "tps": "per second", "rps": "per second", "mbps": "Mbit/s",
}  # fmt: skip
# (from, to) -> factor; a price may also be shown "per million" of its unit
_FACTORS = {
    ("s", "min"): 1 / 60, ("s", "h"): 1 / 3600, ("s", "days"): 1 / 86_400, ("s", "ms"): 1000.0,
    ("ms", "s"): 1 / 1000, ("min", "s"): 60.0, ("h", "days"): 1 / 24, ("MB", "GB"): 1 / 1024,
    ("bytes", "KB"): 1 / 1024, ("bytes", "MB"): 1 / 1024**2, ("bytes", "KiB"): 1 / 1024,
    ("bytes", "MiB"): 1 / 1024**2, ("KB", "MB"): 1 / 1024,
}  # fmt: skip
SERVICES = {
    "lambda": "AWS Lambda", "lambda_esm_sqs": "Lambda behind Amazon SQS", "lambda_edge": "Lambda@Edge",
    "lambda_esm_kinesis": "Lambda behind Kinesis", "lambda_esm_ddb": "Lambda behind DynamoDB Streams",
    "lambda_microvm": "Lambda MicroVMs", "dynamodb": "Amazon DynamoDB", "sqs": "Amazon SQS",
    "sns": "Amazon SNS", "eventbridge": "Amazon EventBridge", "kinesis": "Amazon Kinesis",
    "apigateway": "Amazon API Gateway", "stepfunctions": "AWS Step Functions",
    "cloudwatch": "Amazon CloudWatch", "xray": "AWS X-Ray", "s3": "Amazon S3", "vpc": "Amazon VPC",
    "datatransfer": "Data transfer", "billing": "Billing", "price_list_api": "AWS Price List",
    "well_architected": "AWS Well-Architected", "fargate": "AWS Fargate", "ec2": "Amazon EC2",
    "elb": "Elastic Load Balancing",
}  # fmt: skip
_ASKED = re.compile(r"(?P<id>[\w.]+)(?::(?P<path>[\w.-]+))?(?:\s+in\s+(?P<unit>[^|]+))?")


@dataclass(frozen=True)
class Shown:
    """A fact as a page shows it: the fact, the words, and what it is about."""

    fact: Fact
    text: str
    title: str


def _part(found: Fact, path: str) -> tuple[Any, str]:
    """Return the value at a dotted path and the last name on it."""
    value: Any = found.value
    name = ""
    for name in path.split("."):
        holder: Any = value if value is not found.value else found
        key: Any = int(name) if re.fullmatch(r"-?\d+", name) and not _is_mapping(value) else name
        try:
            value = holder[key]
        except (KeyError, IndexError, TypeError) as problem:
            raise ValueError(f"{found.id} has no part {path!r}: {problem}") from problem
    return value, name


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _unit(found: Fact, name: str) -> str:
    """Return the unit of a part: the end of its name, else the fact's own."""
    rate = re.fullmatch(r".+_per_(s|min|h)", name)  # not "per_s", which is a time
    if rate:
        return {"s": "per second", "min": "per minute", "h": "per hour"}[rate.group(1)]
    last = name.rsplit("_", 1)[-1].lower()
    if last in _SUFFIXES:
        unit = _SUFFIXES[last]
        return found.unit if unit == "USD" and found.unit.startswith("USD") else unit
    if found.unit in ("", "rule", "units", "list", "range", "table", "map", "practice", "bool"):
        return ""
    return found.unit.split(";")[0].strip()


def _convert(value: float, unit: str, wanted: str) -> tuple[float, str]:
    if wanted == unit:
        return value, unit
    if (unit, wanted) in _FACTORS:
        return value * _FACTORS[unit, wanted], wanted
    per = re.fullmatch(r"USD/(.+)", unit)
    if per and wanted in ("USD per million", "USD per thousand"):
        what = per.group(1).removesuffix("s")
        return value * (1e6 if wanted.endswith("million") else 1e3), f"{wanted} {what}s"
    raise ValueError(f"in {wanted!r}: no conversion from {unit!r}")


def _words(value: Any, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        whole = float(value).is_integer()
        text = count(value) if whole else number(value, 6).rstrip("0").rstrip(".")
        if unit.startswith("USD") and value >= 0.01 and abs(round(value, 2) - value) < 1e-9:
            text = f"{value:.2f}"
        if unit == "min" and value == 1:
            unit = "minute"
        if unit == "days" and value == 1:
            unit = "day"
        return (
            f"{text}{THIN}{unit.replace('min', 'minutes') if unit == 'min' else unit}"
            if unit
            else text
        )
    return f"{value}{' ' + unit if unit and not isinstance(value, str) else ''}"


def _flat(value: Any) -> str:
    if _is_mapping(value):
        return "; ".join(_named(str(k), v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(f"({_flat(v)})" if _is_mapping(v) else _flat(v) for v in value)
    if value is None:
        return "no bound"
    return _words(value, "")


def _named(key: str, value: Any) -> str:
    """Return "max 900 s" for `max_s` and 900."""
    stem, _, suffix = key.rpartition("_")
    if stem and suffix.lower() in _SUFFIXES and isinstance(value, int | float):
        return f"{stem.replace('_', ' ')} {_words(value, _SUFFIXES[suffix.lower()])}"
    return f"{key.replace('_', ' ')} {_flat(value)}"


def look_up(asked: str, *, whole: bool = False) -> Shown:
    """Return the fact that a role asks for: ``id``, ``id:part``, ``id:part in unit``.

    Parameters
    ----------
    asked : str
        `"lambda.timeout:max_s in min"`. Parts of parts are joined by dots; parts of lists are
        counted from 0.
    whole : bool
        Describe the whole value in words, whatever its shape, for lists of facts.

    Raises
    ------
    UnknownFact
        If there is no such fact or part.
    ValueError
        If the request is malformed, has parts left to choose from, or cannot be converted.
    """
    match = _ASKED.fullmatch(asked.strip())
    if not match:
        raise ValueError(f"{asked!r} is not of the form id, id:part or id:part in unit")
    found = fact(match["id"])
    title = f"{SERVICES.get(found.service, found.service)}: {found.quantity}"
    if whole:
        simple = isinstance(found.value, int | float | bool)
        return Shown(
            found, _words(found.value, _unit(found, "")) if simple else _flat(found.value), title
        )
    value, name = _part(found, match["path"]) if match["path"] else (found.value, "")
    if _is_mapping(value) or isinstance(value, list | tuple):
        raise ValueError(f"{asked!r} has parts, choose one of them: {_flat(value)}")
    unit = _unit(found, name)
    if match["unit"]:
        value, unit = _convert(value, unit, match["unit"].strip())
    return Shown(found, _words(value, unit), title)


def source_words(found: Fact) -> str:
    """Return the title of the source, or what kind of source it is."""
    return found.source.title or found.source.source_class.replace("_", " ")
