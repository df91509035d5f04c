"""Benchmarks: each module has `run() -> dict` of medians and ratios, and prints them as JSON when run alone.

Never part of the tests. Baselines run in the same process or the same call, so that ratios hold on a noisy machine.
"""
