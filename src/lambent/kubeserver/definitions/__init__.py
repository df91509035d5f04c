"""What a CustomResourceDefinition must be before it is served, and what the server adds to it.

`defaults` and `problems` are its stages of a write; the rest of the folder is one module per part of a definition.
Source: Kubernetes docs, "Custom Resources" and "Versions in CustomResourceDefinitions"; rules, paths and texts as
kube-apiserver 1.34. Not here: serving what was accepted (`crds`), and conversion by a webhook, which is refused.
"""

from typing import TYPE_CHECKING

from lambent.kube.schema import Problem
from lambent.kubeserver.definitions.written import defaults

if TYPE_CHECKING:
    from lambent.kubeserver.draft import Draft


def problems(draft: "Draft") -> list[Problem]:
    """What is wrong with a definition; its warnings go to the call."""
    # Here, as it takes a while to import with the language of rules, and a server starts without a new definition.
    from lambent.kubeserver.definitions.judging import problems as judged

    return judged(draft)


__all__ = ["defaults", "problems"]
