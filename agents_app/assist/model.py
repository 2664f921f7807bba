"""The language model: the only module that knows `pydantic-ai` (the extra of requirements-ai.txt).

ai.pydantic.dev: Agent, `infer_model` (``provider:model``), RunUsage, `ModelResponse.cost` (prices of genai-prices).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from pydantic import BaseModel

from higherself.core.errors import Permanent, Retryable

RETRIES = 1


@dataclass(frozen=True)
class Said:
    output: BaseModel
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None


def is_on() -> bool:
    return bool(settings.AI_MODEL)


def ask(output: type[BaseModel], instructions: str, prompt: str) -> Said:
    """One question, one typed answer. Raises `Retryable` or `Permanent`; blocks for up to ``AI_TIMEOUT_SECONDS``."""
    try:
        from pydantic_ai import Agent  # noqa: PLC0415 - an extra that need not be there
        from pydantic_ai.exceptions import AgentRunError, ModelHTTPError, UserError  # noqa: PLC0415
    except ImportError as error:
        raise Permanent(
            "AI_MODEL is set, and the package pydantic-ai is missing: install requirements-ai.txt."
        ) from error
    limits: Any = {"max_tokens": settings.AI_MAX_TOKENS, "timeout": float(settings.AI_TIMEOUT_SECONDS)}
    try:
        agent = Agent(_model(), output_type=output, instructions=instructions, retries=RETRIES)
        result = agent.run_sync(prompt, model_settings=limits)
    except UserError as error:
        raise Permanent(f"AI_MODEL={settings.AI_MODEL!r} cannot be used: {error}") from error
    except ModelHTTPError as error:
        if error.status_code in (408, 409, 425, 429) or error.status_code >= 500:
            raise Retryable(f"{settings.AI_MODEL} answered {error.status_code}.") from error
        raise Permanent(f"{settings.AI_MODEL} answered {error.status_code}: {str(error.body)[:300]}") from error
    except (AgentRunError, OSError) as error:
        raise Retryable(f"{settings.AI_MODEL} gave no usable answer: {type(error).__name__}.") from error
    return Said(
        result.output,
        result.response.model_name or settings.AI_MODEL,
        result.usage.input_tokens,
        result.usage.output_tokens,
        _cost(result.response),
    )


def _model() -> Any:
    """The model that the settings name. Raises `UserError` or ImportError for one that is not known or installed."""
    from pydantic_ai.models import infer_model  # noqa: PLC0415
    from pydantic_ai.providers import infer_provider_class  # noqa: PLC0415

    if settings.AI_MODEL == "test":
        return infer_model("test")
    options: dict[str, Any] = {"api_key": settings.AI_API_KEY}
    if settings.AI_BASE_URL:
        options["base_url"] = settings.AI_BASE_URL
    try:
        return infer_model(settings.AI_MODEL, provider_factory=lambda name: infer_provider_class(name)(**options))
    except (ImportError, ValueError, TypeError) as error:
        raise Permanent(f"AI_MODEL={settings.AI_MODEL!r} cannot be used: {error}") from error


def _cost(response: Any) -> Decimal | None:
    """What it cost, where the price of the model is known."""
    try:
        return Decimal(str(response.cost().total_price))
    except (LookupError, AssertionError, ValueError):
        return None
