"""The dashboard's chart as unfold's bundled Chart.js takes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime


def events(hours: Sequence[tuple[datetime, int]]) -> str:
    """JSON of a bar chart: a bar an hour, labelled with its start in UTC."""
    return json.dumps(
        {
            "labels": [f"{start:%d %b %H:%M}" for start, _ in hours],
            "datasets": [
                {
                    "label": "events",
                    "data": [number for _, number in hours],
                    "backgroundColor": "var(--color-primary-500)",
                }
            ],
        }
    )


def options() -> str:
    """JSON of how the chart is drawn: unfold's own options would write fractions of events on the axis."""
    grey, line = "#8b95a5", "rgb(128 128 128 / 20%)"
    return json.dumps(
        {
            "animation": False,
            "responsive": True,
            "maintainAspectRatio": False,
            "plugins": {"legend": {"display": False}},
            "datasets": {"bar": {"categoryPercentage": 1, "barPercentage": 0.9}},
            "scales": {
                "x": {
                    "ticks": {"color": grey, "maxTicksLimit": 8, "maxRotation": 0},
                    "grid": {"display": False},
                },
                "y": {"beginAtZero": True, "ticks": {"color": grey, "precision": 0}, "grid": {"color": line}},
            },
        }
    )
