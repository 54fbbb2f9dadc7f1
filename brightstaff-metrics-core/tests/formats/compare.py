"""Reads one registry in both text formats by Python's own parsers, the one of OpenMetrics being strict, and compares
every sample. Tells what exemplars there are."""

import json
import math
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def samples(families):
    told, exemplars = {}, []
    for family in families:
        for sample in family.samples:
            labels = dict(sample.labels)
            for bound in ("le", "quantile"):
                if bound in labels:
                    labels[bound] = str(float(labels[bound]))
            key = (sample.name, tuple(sorted(labels.items())))
            assert key not in told, f"{key} stands twice"
            value = "NaN" if math.isnan(sample.value) else float(sample.value)
            told[key] = (value, sample.timestamp and float(sample.timestamp))
            if sample.exemplar:
                exemplar = sample.exemplar
                exemplars.append(
                    {
                        "name": sample.name,
                        "le": labels["le"],
                        "labels": exemplar.labels,
                        "value": exemplar.value,
                        "timestamp": exemplar.timestamp and float(exemplar.timestamp),
                    }
                )
    return told, exemplars


text, _ = samples(plain(read(sys.argv[1])))
open_text, exemplars = samples(openmetrics(read(sys.argv[2])))
# The parser of the older format gives the samples of every counter that end.
names = {name for name, _ in open_text}
bare = lambda name: name if name in names else name.removesuffix("_total")
text = {(bare(name), labels): value for (name, labels), value in text.items()}
for key in sorted(text.keys() | open_text.keys()):
    assert text.get(key) == open_text.get(key), f"{key}: {text.get(key)}, {open_text.get(key)}"
json.dump({"samples": len(text), "exemplars": exemplars}, sys.stdout)
