"""Adapters: what turns a class or a rule into the export that a component needs."""

from evidentsource_functions.wasm.adapters import StateChangeAdapter, StateViewAdapter

__all__ = ["StateChangeAdapter", "StateViewAdapter"]
