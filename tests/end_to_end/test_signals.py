"""What machines hear of a day of which a part is lost though every step ended: exit codes, the probe, Prometheus, the alert, the ping."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Installation
from tests.unit.fetch.server import reply, serve


def test_a_lost_source_is_well_nowhere(installation: Installation, small_sample: SmallSample, tmp_path: Path) -> None:
    """More than a fifth of it can't be read: that stops no step, and whoever asks hears of it until it is mended."""
    day = str(small_sample.days[-1])
    zone = installation.landing = tmp_path / "landing"
    shutil.copytree(small_sample.root, zone)
    whole = max((zone / "requests" / "gateway" / day).iterdir(), key=lambda path: path.stat().st_size)
    content = whole.read_bytes()
    whole.write_bytes(content[:40])
    with serve() as server:
        server.routes["/ping"] = reply(b"")
        installation.extra = {"MODELMETER_PING_URL": f"{server.url}/ping"}
        out, _ = installation.run("daily", "--date", day, status=1)
        assert "check error: raw.quarantine sources_readable: Found: gateway" in " ".join(out.split())
        assert "spend by model" in out, "the tables were made all the same"
        said = json.loads(installation.run("status", "--json", status=1)[0])
        assert said["problems"] == [f"a check of the daily run for {day} failed as an error"]
        metrics = installation.run("status", "--prometheus", status=1)[0].splitlines()
        assert {"modelmeter_healthy 0", 'modelmeter_failed_checks{severity="error"} 1'} <= set(metrics)
        alerts = {event["kind"] for event in json.loads(installation.run("alerts", "--json")[0])}
        assert {"check_failed", "source_set_aside"} <= alerts
        assert server.count("/ping") == 0
        whole.write_bytes(content)
        installation.run("daily", "--date", day)
        assert json.loads(installation.run("status", "--json")[0])["healthy"] is True
        assert server.count("/ping") == 1
