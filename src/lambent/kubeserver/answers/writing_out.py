"""The text of an answer that is not plain compact JSON: YAML, or JSON with line breaks.

Both are made of the JSON that is there already: who asks for them is not in a hurry. Streams and other media types are
left as they are. Source: Kubernetes API concepts, "Alternate representations of resources".
"""

from typing import Any

import orjson

from lambent.http.message import Response

_JSON, _YAML = b"application/json", b"application/yaml"
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})


def write_yaml(response: Response) -> None:
    """A JSON body becomes YAML, and its content type too."""
    if (value := _value(response)) is None:
        return
    from lambent.kubeserver.answers.go_yaml import yaml_text  # most servers are never asked for it

    response.body = yaml_text(value)
    response.headers = [(n, _YAML if n == b"content-type" else v) for n, v in response.headers]


def write_pretty(response: Response, wanted: str | None) -> None:
    """A JSON body gets line breaks, unless `wanted`, the parameter `pretty`, says no."""
    if (wanted is None or wanted in _TRUE) and (value := _value(response)) is not None:
        response.body = orjson.dumps(value, option=orjson.OPT_INDENT_2)


def _value(response: Response) -> Any:
    if (b"content-type", _JSON) not in response.headers or not isinstance(response.body, bytes):
        return None
    return orjson.loads(response.body)
