"""Hundreds of inputs through one async function: within the limits, with a bar, going on where it stopped."""

from dynaspark_core.batch.run import Outcome, abatch, batch, kept

__all__ = ["Outcome", "abatch", "batch", "kept"]
