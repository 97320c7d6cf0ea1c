"""Writes the made-up records of this folder: history.jsonl and bad-day.csv. The same bytes every time."""

import json
import math
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).parent
START = datetime(2026, 3, 1, tzinfo=timezone.utc)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def history() -> None:
    """Twelve days, six hours apart: harm that builds up, a training, and a candidate of a high-risk model that is compared."""
    lines = []
    for step in range(48):
        at = START + timedelta(hours=6 * step)
        compared = 30 <= step < 44
        facts = {
            "harm.max_e": round(math.exp(0.13 * step), 2) if step < 26 else 1.0,
            "harm.blocks": step // 2,
            "drift.share": round(0.5 * math.sin(step / 8) ** 2, 3),
            "gate.failed": step in (12, 13),
            "gate.healthy_batches": 0 if step in (12, 13) else step % 12,
            "rollout.active": compared,
            "service.success_ratio": 0.9991 if step != 40 else 0.9971,
            "service.p99_seconds": 0.034,
            "slo.budget_consumed": round(step / 60, 3),
            "cost.month_share": round(0.5 + step / 96, 3),
            "cost.retrain": 120.0,
            "model.risk": "high",
        }
        if compared:
            facts["rollout.pairs"] = 700 * (step - 29)
            facts["rollout.e_not_worse"] = round(math.exp(0.32 * (step - 29)), 2)
            facts["rollout.e_worse"] = 0.2
        if step == 42:  # the exporter was silent
            del facts["service.p99_seconds"]
        lines.append(json.dumps({"at": stamp(at), "id": f"look-{step}", "facts": facts}))
    (HERE / "history.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def bad_day() -> None:
    """Counts of a day, minute by minute where there are any: next to no traffic at night, and a bad deployment at noon."""
    lines = ["at,good,bad"]
    for minute in range(24 * 60):
        hour = minute / 60
        requests = round(400 * max(0.0, math.sin(math.pi * (hour - 6) / 16))) if 6 <= hour < 22 else int(minute % 11 == 0)
        bad = round(requests * 0.0004) if minute % 7 else 0
        if minute == 187:  # one bad request at night
            requests, bad = 1, 1
        if 12 * 60 <= minute < 12 * 60 + 35:
            bad = round(requests * 0.18)
        elif 16 * 60 <= minute < 19 * 60:
            bad = round(requests * 0.011)
        if requests:
            lines.append(f"{stamp(START + timedelta(minutes=minute))},{requests - bad},{bad}")
    (HERE / "bad-day.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


history()
bad_day()
