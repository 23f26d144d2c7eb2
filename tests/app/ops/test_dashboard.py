"""Dashboard, alert rules and runbook speak of what /metrics really has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.app.ops.test_metrics import DOCUMENTATION, whole

DOCKER = Path(__file__).parents[3] / "docker"
GRAFANA = DOCKER / "grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "chainwright.json").read_text("utf-8"))
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((DOCKER / "alerts.yml").read_text("utf-8"))["groups"] for rule in group["rules"]
]
PROMETHEUS = {"up": set[str](), "ALERTS": {"alertname", "alertstate"}}
"""Series that Prometheus makes itself."""
SCRAPED = {"job", "instance"}
"""Labels that it gives to every series."""
VARIABLES = {"$__rate_interval": "5m", "$instance": ".*"}
"""Of Grafana, by values that they might have."""


@pytest.fixture(scope="module")
def exposed(client: TestClient) -> dict[str, set[str]]:
    """The labels of each series of /metrics."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for family in text_string_to_metric_families(whole(client)):
        for sample in family.samples:
            found[sample.name] |= sample.labels.keys()
    return dict(found) | PROMETHEUS


def strings(node: Any, name: str) -> Iterator[str]:
    """The strings of a name, however deep."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == name and isinstance(value, str):
                yield value
            else:
                yield from strings(value, name)
    elif isinstance(node, list):
        for each in node:
            yield from strings(each, name)


def expressions() -> Iterator[str]:
    yield from strings(DASHBOARD, "expr")
    yield from (rule["expr"] for rule in RULES)
    (variable,) = DASHBOARD["templating"]["list"]
    asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
    assert asked is not None
    yield f"sum by ({asked[2]}) ({asked[1]})"


def parsed(expression: str) -> Any:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return promql_parser.parse(expression)


def unknown(expression: str, exposed: dict[str, set[str]]) -> list[str]:
    """Metrics and labels of an expression that there are not."""
    names: set[str] = set()
    labels: set[str] = set()
    missing: list[str] = []

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            names.add(str(node.name))
            asked = {matcher.name for matcher in node.matchers.matchers}
            missing.extend(sorted(asked - exposed.get(str(node.name), set()) - SCRAPED))
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            labels.update(node.modifier.labels)
        elif isinstance(node, promql_parser.BinaryExpr) and node.modifier is not None:
            labels.update(node.modifier.matching.labels if node.modifier.matching else ())

    promql_parser.walk(parsed(expression), pre_visit=visit)
    assert names, f"{expression} asks for nothing"
    missing.extend(sorted(names - exposed.keys()))
    return [*missing, *sorted(labels - SCRAPED.union(*(exposed.get(name, ()) for name in names)))]


def test_every_metric_and_label_exists(exposed: dict[str, set[str]]) -> None:
    assert {each: missing for each in expressions() if (missing := unknown(each, exposed))} == {}
    assert unknown('rate(chainwright_nothing_total{found="a"}[5m])', exposed) == ["found", "chainwright_nothing_total"]
    assert unknown("sum by (colour) (chainwright_store_bytes)", exposed) == ["colour"]


def test_every_metric_that_moves_is_shown(exposed: dict[str, set[str]]) -> None:
    """All but what only bounds another, or is shown by another."""
    shown = " ".join(strings(DASHBOARD, "expr"))
    stems = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in exposed}
    left_out = {"process_virtual_memory_bytes", "process_max_fds", "process_open_fds", "process_start_time_seconds"}
    assert {stem for stem in stems if stem not in shown} == left_out


def test_legends_name_labels_that_the_expression_keeps() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            kept: set[str] = set()

            def visit(node: Any, kept: set[str] = kept) -> None:
                if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
                    kept.update(node.modifier.labels)

            tree = parsed(target["expr"])
            promql_parser.walk(tree, pre_visit=visit)
            aggregated = "AggregateExpr" in str(tree) or kept
            legend = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert legend <= (kept if aggregated else SCRAPED), (panel["title"], legend)


def test_the_dashboard_can_be_loaded() -> None:
    """What Grafana needs of it, and of the files that bring it in."""
    panels = DASHBOARD["panels"]
    ids = [panel["id"] for panel in panels]
    assert len(ids) == len(set(ids)) > 15
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or all(target["refId"] for target in panel["targets"])
    (source,) = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert set(strings(DASHBOARD, "uid")) == {source["uid"], DASHBOARD["uid"]}
    (provider,) = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "files.yml").read_text())["providers"]
    compose = yaml.safe_load((DOCKER.parent / "docker-compose.yml").read_text("utf-8"))["services"]
    mounted = {target: source for source, target, _ in (each.split(":") for each in compose["grafana"]["volumes"][:2])}
    assert mounted[provider["options"]["path"]] == "./docker/grafana/dashboards"
    assert mounted["/etc/grafana/provisioning"] == "./docker/grafana/provisioning"
    assert source["url"] == "http://prometheus:9090"


def test_every_alert_has_a_line_in_the_runbook() -> None:
    written = re.findall(r"^\| `(Chainwright\w+)` \|", DOCUMENTATION.read_text("utf-8"), re.MULTILINE)
    assert written == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning") and rule["annotations"]["summary"]


def test_promtool_takes_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: it is in Debian's package prometheus")
    checked = subprocess.run([promtool, "check", "config", DOCKER / "prometheus.yml"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert f"{len(RULES)} rules found" in checked.stdout
