"""What Prometheus makes of the metrics: the page, the alert rules and the dashboard, with Debian's own promtool and prometheus."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import Stage
from lab import ROOT, Lab, wait_until

FOLDER = ROOT / "appliance" / "prometheus"
# What Prometheus itself knows, beside what the node tells.
FOREIGN = {"up"}
# Takes all of a core that the kernel lets a real-time task have.
HOG = "import os\nos.sched_setaffinity(0, {int(%d)})\nos.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))\nwhile True: pass"


def metric_names(expression: str) -> set[str]:
    """The metrics of a query, histograms by their family's name."""
    names = set(re.findall(r"\b(needletail_\w+|up)\b", expression))
    return {re.sub(r"_bucket$", "", name) for name in names}


def families(page: str) -> set[str]:
    return set(re.findall(r"^# TYPE (\w+) ", page, re.MULTILINE))


def promtool(*arguments: str | Path, text: str | None = None) -> None:
    done = subprocess.run(
        ["promtool", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"promtool {arguments}: {done.stdout}{done.stderr}"


def test_page_rules_and_dashboard_fit_each_other(stage: Stage) -> None:
    lab = stage.make_lab(clients=1)
    stage.start_server()
    status, page = lab.http("pop1", "GET", "http://127.0.0.1:9090/metrics")
    assert status == 200
    promtool("check", "metrics", text=page)
    promtool("check", "rules", FOLDER / "alerts.yaml")
    known = families(page) | FOREIGN
    # Of one line, or folded over several.
    rules = re.findall(r"^\s+expr: (?:>-\n)?(.+?)\n\s+for:", (FOLDER / "alerts.yaml").read_text(), re.MULTILINE | re.DOTALL)
    assert len(rules) == (FOLDER / "alerts.yaml").read_text().count("- alert: ")
    dashboard = json.loads((FOLDER / "grafana.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(rules) > 5 and len(queries) > 10
    for expression in rules + queries:
        unknown = metric_names(expression) - known
        assert not unknown, f"/metrics has no {unknown}, which is asked for by: {expression}"


def test_the_rules_fire_for_what_they_are_for(tmp_path: Path) -> None:
    """Each rule on series that were made up: quiet before, firing after."""
    (tmp_path / "test.yaml").write_text((Path(__file__).parent / "alerts.test.yaml").read_text().replace("@RULES@", str(FOLDER / "alerts.yaml")))
    promtool("test", "rules", tmp_path / "test.yaml")


@contextmanager
def prometheus(lab: Lab, folder: Path) -> Iterator[Callable[[str], dict]]:
    """Debian's Prometheus on the PoP's own host, with our rules; a function that asks its API."""
    (folder / "prometheus.yaml").write_text(
        f"""
global: {{ scrape_interval: 500ms, evaluation_interval: 500ms }}
rule_files: ["{FOLDER}/alerts.yaml"]
scrape_configs:
  - job_name: needletail
    static_configs: [{{ targets: ["127.0.0.1:9090"] }}]
"""
    )
    command = [
        "prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data",
        "--web.listen-address=127.0.0.1:9099", "--log.level=warn",
    ]  # fmt: skip
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(lab.command("pop1", *command), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ask(path: str) -> dict:
        status, text = lab.http("pop1", "GET", f"http://127.0.0.1:9099/api/v1/{path}")
        return json.loads(text)["data"] if status == 200 else {}

    try:
        yield ask
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def test_an_alert_fires_when_a_worker_is_starved(
    stage: Stage, tmp_path: Path, say: Callable[[str], None]
) -> None:
    lab = stage.make_lab(clients=1)
    core = max(os.sched_getaffinity(0))
    stage.start_server(cores=(core,))
    with prometheus(lab, tmp_path) as ask:

        def alerts() -> dict[str, str]:
            return {alert["labels"]["alertname"]: alert["state"] for alert in ask("alerts").get("alerts", [])}

        def is_scraped() -> bool:
            found = ask("query?query=rate(needletail_worker_stalled_seconds_total[5s])").get("result", [])
            return bool(found)

        wait_until("Prometheus to scrape", is_scraped, timeout=30)
        assert "NeedletailWorkerStarved" not in alerts()
        hog = subprocess.Popen(["/usr/bin/python3", "-c", HOG % core], stdin=subprocess.DEVNULL)
        try:
            wait_until(
                "the alert", lambda: alerts().get("NeedletailWorkerStarved") == "firing", timeout=60, every=0.5,
                explain=lambda: (alerts(), hog.poll()),
            )  # fmt: skip
        finally:
            hog.kill()
            hog.wait()
        value = ask("query?query=rate(needletail_worker_stalled_seconds_total[10s])")["result"][0]["value"][1]
        say(f"the worker lost its core for {float(value):.0%} of the time; the alert fired")
