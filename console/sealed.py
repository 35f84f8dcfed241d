"""Everything that is sealed in this console: rows of our own, and second factors of allauth."""

from __future__ import annotations

from connections.sealed_rows import SealedRows, sealed_rows
from console.signing_in.factors import SealedFactors


def everything_sealed() -> list[SealedRows]:
    """List all that holds sealed values, model by model."""
    return [*sealed_rows(), SealedFactors()]
