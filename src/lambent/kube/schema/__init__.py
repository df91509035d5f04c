"""OpenAPI v3 structural schemas, compiled once and run often.

`compile_schema(schema)` gives a `Schema`; `schema.admit(obj)` fills defaults, drops unknown fields and validates, all
in one walk that changes `obj` in place, and answers the `Problems`. Source: Kubernetes docs, "Custom Resources:
structural schemas"; wording as kube-apiserver 1.34. Not here: metadata, storage, and what a CRD may declare.
"""

from lambent.kube.schema.compiler import Schema, compile_judgement, compile_pruning, compile_schema
from lambent.kube.schema.problems import Mode, Problem, Problems

__all__ = ["Mode", "Problem", "Problems", "Schema", "compile_judgement", "compile_pruning", "compile_schema"]
