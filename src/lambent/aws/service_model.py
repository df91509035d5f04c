"""botocore's model of the Lambda service, loaded once at run time.

Shapes, required members, lengths, patterns, enums and HTTP bindings all come from here, so a newer botocore adds
operations without a change of ours. Loading takes about 30 ms: nothing loads it at import.
"""

from functools import cache
from typing import Any


@cache
def lambda_model() -> Any:
    """botocore's `ServiceModel` of `lambda` (untyped library)."""
    import botocore.loaders  # here, since it brings an HTTP client along: 120 ms that no importer should pay
    import botocore.model

    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("lambda", "service-2"), "lambda")


def constraint(shape: str, key: str) -> Any:
    """`pattern`, `max`, `min` or `enum` of a named shape; KeyError for a shape the model does not have."""
    found = lambda_model().shape_for(shape)
    return found.enum if key == "enum" else found.metadata[key]
