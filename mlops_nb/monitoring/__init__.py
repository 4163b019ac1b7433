"""Watches served models. Opened by the monitoring issue; nothing walks through it yet."""
