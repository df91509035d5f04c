"""botocore's models of the services, loaded at run time, each once for the whole process.

Shapes, required members, lengths, patterns, enums and HTTP bindings all come from here, so a newer botocore adds
operations without a change of ours. Loading a model takes 10 to 50 ms and megabytes: nothing loads one at import, and
whoever only reads one shares this loader (moto, too).
"""

from functools import cache
from typing import Any


@cache
def shared_loader() -> Any:
    """botocore's `Loader`, which keeps what it has parsed (untyped library)."""
    from botocore.loaders import create_loader  # here, since it brings an HTTP client along: 120 ms

    return create_loader()


@cache
def service_model(service: str) -> Any:
    """botocore's `ServiceModel` of a service by its name there ("s3", "lambda")."""
    from botocore.model import ServiceModel

    return ServiceModel(shared_loader().load_service_model(service, "service-2"), service)


def lambda_model() -> Any:
    return service_model("lambda")


def constraint(shape: str, key: str) -> Any:
    """`pattern`, `max`, `min` or `enum` of a named shape; KeyError for a shape the model does not have."""
    found = lambda_model().shape_for(shape)
    return found.enum if key == "enum" else found.metadata[key]
