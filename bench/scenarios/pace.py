"""How much of the permitted pace is used while there is work, and whether Notion ever has to say "too many requests".

Takes minutes in real time, because Notion counts requests in windows of 60 seconds.
"""

from __future__ import annotations

import os

from bench.options import Options
from bench.results import Result
from bench.scenarios.sync import KEY, sync
from bench.stage import Stage
from contacts.models import Contact

PER_MINUTE, MINUTES = 180, 2.5
SHARE = 0.95


def measure(stage: Stage, options: Options, result: Result) -> None:
    stage.manage("migrate", "--verbosity", "0")
    stage.sandbox()
    stage.manage("setup_notion", "--verbosity", "0")
    stage.control("rate_limit", {"per_minute": PER_MINUTE})
    os.environ["NOTION_REQUESTS_PER_MINUTE"] = str(PER_MINUTE)
    count = options.rows(int(PER_MINUTE * MINUTES))
    Contact.objects.bulk_create(Contact(full_name=f"Robin {n}", email=f"r{n}@example.com") for n in range(count))
    report = sync(stage, "--direction", "push", "--database", KEY)
    refused = stage.control("state")["rate_limit"]["refused"]
    allowed = PER_MINUTE * report["seconds"] / 60
    result.figures = {
        "requests": report["requests"],
        "seconds": report["seconds"],
        "permitted in that time": round(allowed),
        "created": report["databases"][KEY]["created_notion"],
    }
    result.at_least("share of the permitted pace used", round(report["requests"] / allowed, 3), SHARE)
    result.at_most("429 answers", max(refused, report["rate_limited"]), 0)
