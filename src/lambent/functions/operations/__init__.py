"""The handlers, by operation. An operation that is not here answers 501."""

from lambent.functions.backend import Handler
from lambent.functions.operations import (
    aliasing,
    event_settings,
    governing,
    permitting,
    reserving,
    tagging,
    updating,
    versioning,
)
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
    "DeleteFunctionEventInvokeConfig": event_settings.delete,
    "GetAccountSettings": reserving.get_account_settings,
    "GetAlias": aliasing.get,
    "GetFunction": get_function,
    "GetFunctionCodeSigningConfig": governing.get_code_signing,
    "GetFunctionConcurrency": reserving.get,
    "GetFunctionConfiguration": get_function_configuration,
    "GetFunctionEventInvokeConfig": event_settings.get,
    "GetFunctionRecursionConfig": governing.get_recursion,
    "GetPolicy": permitting.get_policy,
    "GetRuntimeManagementConfig": governing.get_runtime_management,
    "ListAliases": aliasing.list_all,
    "ListFunctionEventInvokeConfigs": event_settings.list_all,
    "ListFunctions": list_functions,
    "ListTags": tagging.list_tags,
    "ListVersionsByFunction": versioning.list_versions_by_function,
    "PublishVersion": versioning.publish_version,
    "PutFunctionConcurrency": reserving.put,
    "PutFunctionEventInvokeConfig": event_settings.put,
    "PutFunctionRecursionConfig": governing.put_recursion,
    "PutRuntimeManagementConfig": governing.put_runtime_management,
    "RemovePermission": permitting.remove,
    "TagResource": tagging.tag_resource,
    "UntagResource": tagging.untag_resource,
    "UpdateAlias": aliasing.update,
    "UpdateFunctionCode": updating.update_function_code,
    "UpdateFunctionConfiguration": updating.update_function_configuration,
    "UpdateFunctionEventInvokeConfig": event_settings.update,
}

__all__ = ["HANDLERS"]
