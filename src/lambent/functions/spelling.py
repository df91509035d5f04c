"""AWS member names to Kubernetes field names and back, along a shape of the service model.

`KMSKeyArn` is `kmsKeyArn`, `VpcConfig` is `vpcConfig`. Only members of structures are respelled; keys of maps
(environment variables, tags) are the user's and stay. Blobs are base64 text in an object.
"""

import base64
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1024)
def field_name(member: str) -> str:
    """The leading capitals go down, all but the one that begins the next word."""
    capitals = len(member) - len(member.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    lowered = capitals if capitals in (1, len(member)) else capitals - 1
    return member[:lowered].lower() + member[lowered:]


def to_fields(shape: Any, value: Any) -> Any:
    """A value in model member names as it is stored in a spec."""
    match shape.type_name:
        case "structure":
            members = shape.members
            return {field_name(key): to_fields(members[key], item) for key, item in value.items() if key in members}
        case "list":
            return [to_fields(shape.member, item) for item in value]
        case "map":
            return {key: to_fields(shape.value, item) for key, item in value.items()}
        case "blob":
            return base64.b64encode(value).decode()
    return value


def from_fields(shape: Any, value: Any) -> Any:
    """The inverse; fields the shape does not know are left out."""
    match shape.type_name:
        case "structure":
            names = {field_name(name): name for name in shape.members}
            return {
                names[key]: from_fields(shape.members[names[key]], item)
                for key, item in value.items()
                if key in names and item is not None
            }
        case "list":
            return [from_fields(shape.member, item) for item in value]
        case "map":
            return {key: from_fields(shape.value, item) for key, item in value.items()}
        case "blob":
            return base64.b64decode(value)
    return value
