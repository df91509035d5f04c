"""Whether a CEL rule fits the schema it stands in: its types, and what it may cost at worst.

A rule goes through `tree` (macros become loops), `checking` (types, by the functions of `functions`), `literals` (what
constants must be) and `costs`. kube-apiserver refuses by the same steps, so the texts are those of its CEL library.
Source: CEL specification, "Type checking"; Kubernetes docs, "Common Expression Language in Kubernetes".
"""
