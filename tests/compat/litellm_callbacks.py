"""LiteLLM's callbacks ``openmeter``, ``lago`` and ``generic_api``, each set up as its own manual says."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from tests.compat import stored

# Read by LiteLLM when the callbacks are made.
os.environ |= {
    "OPENMETER_API_ENDPOINT": stored.URL,
    "OPENMETER_API_KEY": stored.KEY,
    "LAGO_API_BASE": stored.URL,
    "LAGO_API_KEY": stored.KEY,
    "LAGO_API_EVENT_CODE": "litellm_lago",
    "LAGO_API_CHARGE_BY": "user_id",
    "GENERIC_LOGGER_ENDPOINT": f"{stored.URL}/api/v1/events",
    "GENERIC_LOGGER_HEADERS": f"Authorization=Bearer {stored.KEY}",
    "DEFAULT_FLUSH_INTERVAL_SECONDS": "1",
}

import litellm
from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger

CALLS = 5
PROMPT = "a prompt that must not be kept"


async def call(subject: str, n: int) -> Any:
    """One call that is answered without any provider."""
    return await litellm.acompletion(
        model="gpt-4o",
        messages=[{"role": "user", "content": f"{PROMPT} {n}"}],
        mock_response="a mock answer",
        user=subject,
        metadata={"user_api_key_user_id": subject},
    )


async def main() -> None:
    """Calls with all three callbacks at once, then with each format of the third."""
    # By its class: the name "generic_api" does nothing where LiteLLM's enterprise package is missing.
    litellm.callbacks = ["openmeter", "lago", GenericAPILogger()]
    subject, answers = await calls()
    check_openmeter(await sent(subject, type="litellm_tokens"), answers)
    check_lago(await sent(subject, type="litellm_lago"), answers)
    check_generic("json_array", await sent(subject, type="llm.call"), answers)
    for log_format in ("ndjson", "single"):
        litellm.callbacks = [GenericAPILogger(log_format=log_format)]
        subject, answers = await calls()
        check_generic(log_format, await sent(subject, type="llm.call"), answers)


async def calls() -> tuple[str, list[Any]]:
    """A new subject, and the answers to its calls."""
    subject = stored.new_subject("litellm")
    return subject, [await call(subject, n) for n in range(CALLS)]


async def sent(subject: str, **filters: str) -> list[dict[str, Any]]:
    """The events of a subject, waited for in a thread so that the callbacks go on meanwhile."""
    return await asyncio.to_thread(stored.events, count=CALLS, subject=subject, **filters)


def check_openmeter(events: list[dict[str, Any]], answers: list[Any]) -> None:
    stored.check("openmeter: source", {each["source"] for each in events}, {"litellm-proxy"})
    stored.check("openmeter: ids", {each["id"] for each in events}, {each.id for each in answers})
    usage = answers[0].usage
    data = next(each["data"] for each in events if each["id"] == answers[0].id)
    stored.check("openmeter: model", data["model"], "gpt-4o")
    stored.check("openmeter: tokens", data["total_tokens"], usage.total_tokens)
    stored.check("openmeter: cost", float(data["cost"]) > 0, True)


def check_lago(events: list[dict[str, Any]], answers: list[Any]) -> None:
    stored.check("lago: source", {each["source"] for each in events}, {"lago"})
    stored.check("lago: ids differ", len({each["id"] for each in events}), CALLS)
    wanted = sorted(each.usage.prompt_tokens for each in answers)
    stored.check("lago: tokens", sorted(each["data"]["prompt_tokens"] for each in events), wanted)
    stored.check("lago: cost", all(float(each["data"]["response_cost"]) > 0 for each in events), True)


def check_generic(log_format: str, events: list[dict[str, Any]], answers: list[Any]) -> None:
    name = f"generic_api, {log_format}"
    stored.check(f"{name}: source", {each["source"] for each in events}, {"litellm"})
    stored.check(f"{name}: ids", {each["id"] for each in events}, {each.id for each in answers})
    wanted = sorted(each.usage.prompt_tokens for each in answers)
    stored.check(f"{name}: tokens", sorted(each["data"]["input_tokens"] for each in events), wanted)
    stored.check(f"{name}: status", {each["data"]["status"] for each in events}, {"success"})
    has_prompts = PROMPT in str(events) or "mock answer" in str(events)
    stored.check(f"{name}: no prompts", has_prompts, False)


if __name__ == "__main__":
    asyncio.run(main())
