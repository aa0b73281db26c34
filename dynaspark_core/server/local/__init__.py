"""The engine with a real model, and all that only it needs."""
