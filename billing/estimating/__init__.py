"""What a model needs: memory, compute, GPUs and GPU-hours, from its parameters. Pure and exact."""

from billing.estimating.answers import schema as answer_schema
from billing.estimating.estimate import estimate
from billing.estimating.request import Request, parse
from billing.estimating.request import schema as request_schema

__all__ = ["Request", "answer_schema", "estimate", "parse", "request_schema"]
