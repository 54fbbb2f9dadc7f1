"""Decodes the body of an OTLP request, and tells in JSON which series of Prometheus its points are.

Names and labels are told as they are: none is translated. What no point may lack is checked.
"""

import gzip
import json
import sys

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE

series = []


def strings(attributes):
    found = {}
    for attribute in attributes:
        assert attribute.value.WhichOneof("value") == "string_value", attribute
        assert attribute.key not in found, f"{attribute.key} twice"
        found[attribute.key] = attribute.value.string_value
    return found


def add(name, labels, value):
    series.append({"labels": {**labels, "__name__": name}, "value": value})


def number(metric, point):
    kind = point.WhichOneof("value")
    assert kind is not None, metric.name
    add(metric.name, strings(point.attributes), float(getattr(point, kind)))


def histogram(metric, point):
    labels = strings(point.attributes)
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1, metric.name
    assert sum(point.bucket_counts) == point.count, metric.name
    below = 0
    for bound, count in zip([*point.explicit_bounds, float("inf")], point.bucket_counts):
        below += count
        add(f"{metric.name}_bucket", {**labels, "le": "+Inf" if bound == float("inf") else repr(bound)}, float(below))
    add(f"{metric.name}_count", labels, float(point.count))
    add(f"{metric.name}_sum", labels, point.sum)


def timed(metric, points, since_start):
    assert points, f"{metric.name} has no points"
    for point in points:
        assert point.time_unix_nano, metric.name
        if since_start:
            assert 0 < point.start_time_unix_nano <= point.time_unix_nano, metric.name


def read(metric):
    assert metric.name and metric.unit != "1", metric.name
    kind = metric.WhichOneof("data")
    data = getattr(metric, kind)
    timed(metric, data.data_points, kind != "gauge")
    if kind != "gauge":
        assert data.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE, metric.name
    if kind == "sum":
        assert data.is_monotonic, metric.name
    read_point = {"gauge": number, "sum": number, "histogram": histogram}[kind]
    for point in data.data_points:
        read_point(metric, point)


with open(sys.argv[1], "rb") as file:
    body = file.read()
if body[:2] == b"\x1f\x8b":
    body = gzip.decompress(body)
request = ExportMetricsServiceRequest.FromString(body)
(resource,) = request.resource_metrics
names = []
for scope in resource.scope_metrics:
    for metric in scope.metrics:
        names.append(metric.name)
        read(metric)
assert len(names) == len(set(names)), "a metric twice"
json.dump(
    {
        "series": series,
        "resource": strings(resource.resource.attributes),
        "scopes": [scope.scope.name for scope in resource.scope_metrics],
    },
    sys.stdout,
)
