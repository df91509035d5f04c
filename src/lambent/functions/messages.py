"""Every refusal of the Lambda API that a handler of ours makes, in AWS's words.

One function per refusal, slots as arguments. Source: recorded answers of AWS. Not here: shape violations
(`codec.validation`).
"""

from lambent.aws.arn import FunctionId
from lambent.aws.errors import ServiceError


def invalid_parameter(text: str) -> ServiceError:
    return ServiceError("InvalidParameterValueException", text)


def validation(text: str) -> ServiceError:
    return ServiceError("ValidationException", f"1 validation error detected: {text}")


def _not_found(text: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", text, status=404, capital_message=True)


def _conflict(text: str) -> ServiceError:
    return ServiceError("ResourceConflictException", text, status=409)


def function_not_found(arn: str) -> ServiceError:
    """`arn` with the qualifier, if the caller gave one."""
    return _not_found(f"Function not found: {arn}")


def other_region(region: str, own: str) -> ServiceError:
    return _not_found(f"Functions from '{region}' are not reachable in this region ('{own}')")


def other_account() -> ServiceError:
    return ServiceError("AccessDeniedException", "", status=403)


def resource_not_found() -> ServiceError:
    return _not_found("The resource you requested does not exist.")


def unknown_resource(noun: str, arn: str) -> ServiceError:
    """`noun`: Event source mapping, Capacity provider."""
    return _not_found(f"{noun} not found: {arn}")


def alias_not_found(arn: str) -> ServiceError:
    return _not_found(f"Cannot find alias arn: {arn}")


def alias_to_update_not_found(arn: str) -> ServiceError:
    return _not_found(f"Alias not found: {arn}")


def alias_exists(arn: str) -> ServiceError:
    return _conflict(f"Alias already exists: {arn}")


def function_exists(name: str) -> ServiceError:
    return _conflict(f"Function already exist: {name}")


def update_in_progress(function: FunctionId) -> ServiceError:
    text = "The operation cannot be performed at this time. An update is in progress for resource: "
    return _conflict(text + function.arn)


def still_pending() -> ServiceError:
    return _conflict(
        "The operation cannot be performed at this time. The function is currently in the following state: Pending"
    )


def version_in_use(aliases: list[str]) -> ServiceError:
    """Source: AWS's answer as users quote it; no recording."""
    names = ", ".join(aliases)
    return _conflict(f"Unable to delete version because the following aliases reference it: [{names}]")


def too_many_conflicts() -> ServiceError:
    text = "Too many concurrent changes of this resource"
    return ServiceError("TooManyRequestsException", text, status=429, retry_after_s=1)


def stale_revision(api: str = "GetFunction/GetAlias") -> ServiceError:
    text = "The Revision Id provided does not match the latest Revision Id. "
    text += f"Call the {api} API to retrieve the latest Revision Id"
    return ServiceError("PreconditionFailedException", text, status=412)


def qualifier_mismatch() -> ServiceError:
    return invalid_parameter("The derived qualifier from the function name does not match the specified qualifier.")


def functions_only() -> ServiceError:
    return invalid_parameter(
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
        "Please specify either a function name or an unqualified function ARN."
    )


def latest_not_deletable() -> ServiceError:
    return invalid_parameter("$LATEST version cannot be deleted without deleting the function.")


def alias_not_deletable() -> ServiceError:
    return invalid_parameter("Deletion of aliases is not currently supported.")


def name_too_long(name: str) -> ServiceError:
    return invalid_parameter(
        f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: "
        "Member must have length less than or equal to 64"
    )


def unknown_runtime(runtime: str, offered: tuple[str, ...]) -> ServiceError:
    return invalid_parameter(
        f"Value {runtime} at 'runtime' failed to satisfy constraint: "
        f"Member must satisfy enum value set: [{', '.join(offered)}] or be a valid ARN"
    )


def retired_runtime(runtime: str) -> ServiceError:
    return invalid_parameter(
        f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
        "We recommend you use a supported runtime while creating or updating functions."
    )


def environment_too_large(measured: str) -> ServiceError:
    return invalid_parameter(
        "Lambda was unable to configure your environment variables because the environment variables you have "
        f"provided exceeded the 4KB limit. String measured: {measured}"
    )


def reserved_variables(names: list[str]) -> ServiceError:
    return invalid_parameter(
        "Lambda was unable to configure your environment variables because the environment variables you have "
        "provided contains reserved keys that are currently not supported for modification. "
        f"Reserved keys used in this request: {', '.join(names)}"
    )


def role_not_assumable() -> ServiceError:
    return invalid_parameter("The role defined for the function cannot be assumed by Lambda.")


def broken_archive() -> ServiceError:
    return invalid_parameter("Could not unzip uploaded file. Please check your file, then try to upload again.")


def unzipped_too_large(limit: int) -> ServiceError:
    return invalid_parameter(f"Unzipped size must be smaller than {limit} bytes")


def zipped_too_large(limit: int) -> ServiceError:
    text = f"Zipped size must be smaller than {limit} bytes"
    return ServiceError("RequestEntityTooLargeException", text, status=413)


def request_too_large(limit: int, operation: str) -> ServiceError:
    text = f"Request must be smaller than {limit} bytes for the {operation} operation"
    return ServiceError("RequestEntityTooLargeException", text, status=413)


def image_missing(uri: str) -> ServiceError:
    return invalid_parameter(f"Source image {uri} does not exist. Provide a valid source image.")


def image_uri_needed() -> ServiceError:
    return invalid_parameter("Please provide ImageUri when updating a function with packageType Image.")


def image_uri_unwanted() -> ServiceError:
    return invalid_parameter("Please don't provide ImageUri when updating a function with packageType Zip.")


def object_not_fetched(code: str, message: str) -> ServiceError:
    return invalid_parameter(f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}")


def code_sha_mismatch(given: str, current: str) -> ServiceError:
    return invalid_parameter(
        f"CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). "
        "Please try again with the CodeSHA256 in $LATEST."
    )


def tags_on_qualifier() -> ServiceError:
    return invalid_parameter("Tags on function aliases and versions are not supported. Please specify a function ARN.")


def too_many_tags() -> ServiceError:
    return invalid_parameter("Number of tags exceeds resource tag limit.")


def no_tags() -> ServiceError:
    return invalid_parameter("An error occurred and the request cannot be processed.")


def unreserved_too_low(minimum: int) -> ServiceError:
    return invalid_parameter(
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
        f"below its minimum value of [{minimum}]."
    )


def bad_marker() -> ServiceError:
    return invalid_parameter("Invalid Marker: it was not issued by this operation with these parameters.")


def not_implemented(operation: str) -> ServiceError:
    text = f"{operation} is not implemented by lambent yet"
    return ServiceError("NotImplementedException", text, status=501)


def too_many_weights() -> ServiceError:
    return invalid_parameter("Number of items in AdditionalVersionWeights cannot be greater than 1")


def weight_of_primary(version: str) -> ServiceError:
    return invalid_parameter(
        f"Invalid function version {version}. Function version {version} is already included in routing configuration."
    )


def latest_not_weighted() -> ServiceError:
    return invalid_parameter("$LATEST is not supported for an alias pointing to more than 1 version")


def policy_on_latest() -> ServiceError:
    return invalid_parameter("We currently do not support adding policies for $LATEST.")


def principal_invalid() -> ServiceError:
    return invalid_parameter("The provided principal was invalid. Please check the principal and try again.")


def statement_exists(sid: str) -> ServiceError:
    return _conflict(
        f"The statement id ({sid}) provided already exists. "
        "Please provide a new statement id, or remove the existing statement."
    )


def statement_not_found(sid: str) -> ServiceError:
    return _not_found(f"Statement {sid} is not found in resource policy.")


def no_policy() -> ServiceError:
    return _not_found("No policy is associated with the given resource.")


def no_policy_for(arn: str) -> ServiceError:
    return _not_found(f"No policy found for: {arn}")


def policy_too_long(limit: int) -> ServiceError:
    text = f"The final policy size is bigger than the limit ({limit})."
    return ServiceError("PolicyLengthExceededException", text)


def no_such_function() -> ServiceError:
    """As the event-invoke operations say it."""
    return _not_found("The function doesn't exist.")


def no_event_invoke_config(arn: str) -> ServiceError:
    return _not_found(f"The function {arn} doesn't have an EventInvokeConfig")


def empty_event_invoke_config() -> ServiceError:
    return invalid_parameter("You must specify at least one of error handling or destination setting.")


def destination_missing(arn: str) -> ServiceError:
    return invalid_parameter(f"The destination ARN {arn} is invalid.")


def destination_recursive() -> ServiceError:
    return invalid_parameter("You can't specify the function as a destination for itself.")


def destination_unsupported(success: str | None, failure: str | None) -> ServiceError:
    shown_success = f"OnSuccess(destination={success})" if success else "null"
    shown_failure = f"OnFailure(destination={failure})" if failure else "null"
    return invalid_parameter(
        f"The provided destination config DestinationConfig(onSuccess={shown_success}, onFailure={shown_failure}) "
        "is invalid."
    )


def runtime_version_needed() -> ServiceError:
    return invalid_parameter("RuntimeVersionArn is required when UpdateRuntimeOn is Manual.")
