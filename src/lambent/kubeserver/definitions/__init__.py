"""What a CustomResourceDefinition must be before it is served, and what the server adds to it.

`defaults` and `problems` are its stages of a write; the rest of the folder is one module per part of a definition.
Source: Kubernetes docs, "Custom Resources" and "Versions in CustomResourceDefinitions"; rules, paths and texts as
kube-apiserver 1.34. Not here: serving what was accepted (`crds`), and conversion by a webhook, which is refused.
"""

from lambent.kubeserver.definitions.judging import problems
from lambent.kubeserver.definitions.written import defaults

__all__ = ["defaults", "problems"]
