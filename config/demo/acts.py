"""The demo's steps in their order, each with its heading."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from billing.exports import formats, month
from billing.invoicing import running
from config.demo import failures, progress, report, sending, traces, verdict, waiting, world
from metering import issuing
from metering.models import WebhookSource

WEBHOOK_NAME = "helios-scheduler"


def play(*, url: str, every: int, folder: Path, at: datetime.datetime) -> bool:
    """Runs the whole demo against the server at ``url``; returns whether all quantities are as in the files.

    ``every``: 1 for all rows of the traces, 10 for each tenth. ``folder``: where the export goes. Raises
    `DemoRefused` before anything is written, `DemoFailed` later.
    """
    world.refuse_strangers()
    world.refuse_other_part(every=every)
    _introduce(every)
    report.heading(1, "Catalogue")
    world.set_up(at=at)
    _show_world()
    report.heading(2, f"Events over HTTP to {url}")
    before = waiting.last_batch_id()
    _send(url=url, every=every, at=at)
    report.heading(3, "Roll-up by the Celery worker")
    waiting.until_rolled_up(after_batch_id=before)
    report.heading(4, "Invoices")
    invoices = _invoice(at)
    report.heading(5, "Export of May 2020")
    _export(folder=folder, at=at)
    comparisons = verdict.compare(every=every)
    report.heading(6, "Customers, quantities and amounts")
    report.closing_table(invoices=invoices, comparisons=comparisons)
    report.heading(7, "Check: what was metered, against sums computed from the CSV files alone")
    report.check_table(comparisons)
    return all(one.is_equal for one in comparisons)


def _introduce(every: int) -> None:
    part = "" if every == 1 else f" Every {every}th row only."
    print(f"Meterbook: real traces, metered, priced and invoiced for May 2020.{part}")
    print()
    print("  Model calls    Azure LLM inference trace 2023, two services (CC BY 4.0, Microsoft)")
    print(f"                 times moved by {traces.SHIFT_DAYS:,} days = 183 weeks, to 14 May 2020")
    print("  GPU intervals  Helios, Earth cluster, May 2020, 16 tenants (MIT, NTU S-Lab)")
    print("  Prices         invented, see config/demo/documents")


def _show_world() -> None:
    meters = [str(document["slug"]) for document in world.meter_documents()]
    plans = [str(document["name"]) for document in world.plan_documents()]
    print(f"  {len(meters)} meters        {', '.join(meters)}")
    print(f"  {len(plans)} plans         {', '.join(plans)}")
    print(f"  {len(world.buyers())} customers    each with a subscription from 2020-05-01 to 2020-06-01")


def _send(*, url: str, every: int, at: datetime.datetime) -> None:
    key, key_text = issuing.issue_api_key(name="demo", scopes=["ingest"], at=at)
    try:
        with sending.Server(url) as server:
            sender = sending.ApiKeySender(key=key_text)
            _send_one(server, "Model calls", sender, traces.model_calls(every=every))
            signer = sending.WebhookSender(
                secret=_webhook_secret(at), path=f"/webhooks/metering/{WEBHOOK_NAME}"
            )
            _send_one(server, "GPU intervals", signer, traces.gpu_intervals(every=every))
    finally:
        issuing.revoke_api_key(key=key, at=at)


def _webhook_secret(at: datetime.datetime) -> str:
    source = WebhookSource.objects.filter(name=WEBHOOK_NAME).first()
    if source is not None:
        return source.secret
    _source, secret = issuing.issue_webhook_source(name=WEBHOOK_NAME, adapter="cloudevents", at=at)
    return secret


def _send_one(
    server: sending.Server, name: str, sender: sending.Sender, events: Sequence[dict[str, Any]]
) -> None:
    shown = progress.Progress(name=name, total=len(events), unit="events")
    sent = server.send(sender=sender, events=events, advanced=shown.advance)
    shown.finish(f"{sent.accepted:,} new, {sent.duplicates:,} duplicates")


def _invoice(at: datetime.datetime) -> dict[str, Any]:
    earlier = len(world.finalized_invoices())
    summary = running.run(as_of=at, at=at)
    for what, reason in summary.failed.items():
        raise failures.DemoFailed(f"the invoice run could not bill {what}: {reason}")
    for draft in summary.blocked:
        raise failures.DemoFailed(
            f"the invoice of {draft.customer} cannot be finalized: {draft.blocked_reason}"
        )
    invoices = world.finalized_invoices()
    missing = [buyer.key for buyer in world.buyers() if buyer.key not in invoices]
    if missing:
        raise failures.DemoFailed(f"the invoice run made no invoice for {', '.join(missing)}")
    print(f"  {len(invoices)} finalized     {len(invoices) - earlier} now, {earlier} were there already")
    return invoices


def _export(*, folder: Path, at: datetime.datetime) -> None:
    made = month.write(month=world.MONTH.start.date(), formats=(), folder=folder, at=at, by="demo")
    for name in formats.ALL:
        files = [str(file["file"]) for file in made.manifest["files"] if file["format"] == name]
        print(f"  {len(files):>2} {name.upper():<11}{files[0]}{', ...' if len(files) > 1 else ''}")
    print(f"  in {folder}")
