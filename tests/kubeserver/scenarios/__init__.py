"""Requests whose answers a real kube-apiserver gave: `recorded.json` holds them, `make test-cluster` asks again.

Each module of this folder has `GROUPS`: name -> steps. A group starts from an empty namespace and cleans up behind
itself. `asking` runs them.
"""
