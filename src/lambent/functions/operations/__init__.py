"""The handlers, by operation. An operation that is not here answers 501."""

from lambent.functions.backend import Handler
from lambent.functions.operations import aliasing, permitting, reserving, tagging, updating, versioning
from lambent.functions.operations.creating import create_function
from lambent.functions.operations.deleting import delete_function
from lambent.functions.operations.listing import list_functions
from lambent.functions.operations.reading import get_function, get_function_configuration

HANDLERS: dict[str, Handler] = {
    "AddPermission": permitting.add,
    "CreateAlias": aliasing.create,
    "CreateFunction": create_function,
    "DeleteAlias": aliasing.delete,
    "DeleteFunction": delete_function,
    "DeleteFunctionConcurrency": reserving.delete,
    "GetAccountSettings": reserving.get_account_settings,
    "GetAlias": aliasing.get,
    "GetFunction": get_function,
    "GetFunctionConcurrency": reserving.get,
    "GetFunctionConfiguration": get_function_configuration,
    "GetPolicy": permitting.get_policy,
    "ListAliases": aliasing.list_all,
    "ListFunctions": list_functions,
    "ListTags": tagging.list_tags,
    "ListVersionsByFunction": versioning.list_versions_by_function,
    "PublishVersion": versioning.publish_version,
    "PutFunctionConcurrency": reserving.put,
    "RemovePermission": permitting.remove,
    "TagResource": tagging.tag_resource,
    "UntagResource": tagging.untag_resource,
    "UpdateAlias": aliasing.update,
    "UpdateFunctionCode": updating.update_function_code,
    "UpdateFunctionConfiguration": updating.update_function_configuration,
}

__all__ = ["HANDLERS"]
