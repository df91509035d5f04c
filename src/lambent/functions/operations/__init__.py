"""The handlers, by operation. An operation that is not here answers 501."""

from lambent.functions.backend import Handler
from lambent.functions.operations.creating import create_function
from lambent.functions.operations.deleting import delete_function
from lambent.functions.operations.listing import list_functions
from lambent.functions.operations.reading import get_function, get_function_configuration
from lambent.functions.operations.tagging import list_tags, tag_resource, untag_resource
from lambent.functions.operations.updating import update_function_code, update_function_configuration

HANDLERS: dict[str, Handler] = {
    "CreateFunction": create_function,
    "DeleteFunction": delete_function,
    "GetFunction": get_function,
    "GetFunctionConfiguration": get_function_configuration,
    "ListFunctions": list_functions,
    "ListTags": list_tags,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "UpdateFunctionCode": update_function_code,
    "UpdateFunctionConfiguration": update_function_configuration,
}

__all__ = ["HANDLERS"]
