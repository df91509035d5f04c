"""Lambda, as far as functions go: states, conflict windows, revision ids, concurrency, event invoke config.

Source: Lambda API reference and developer guide, "Lambda function states". A change takes `settling_reads` reads to
settle, and fails with the reason code `fails_with` if one is set. An image exists when `images` is None or holds its
URI; a role is assumable likewise by `roles`.
"""

import base64
import hashlib
import itertools
from typing import Any

from lambent.clock import WallClock
from lambent.resources.fake.errors import Refusal

Json = dict[str, Any]
_DEFAULTS: Json = {
    "Timeout": 3,
    "MemorySize": 128,
    "Description": "",
    "Architectures": ["x86_64"],
    "PackageType": "Zip",
    "EphemeralStorage": {"Size": 512},
    "TracingConfig": {"Mode": "PassThrough"},
    "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
}
_SETTINGS = (
    "Description", "Handler", "Runtime", "Role", "MemorySize", "Timeout", "Environment", "FileSystemConfigs",
    "DeadLetterConfig", "TracingConfig", "EphemeralStorage", "KMSKeyArn", "SnapStart", "DurableConfig",
    "TenancyConfig", "PackageType", "Architectures",
)  # fmt: skip


class FakeLambda:
    """`functions` by name; each holds `configuration`, `code`, `tags` and what is configured beside it."""

    def __init__(self, account_id: str, region: str, now: WallClock) -> None:
        self._place = f"{region}:{account_id}"
        self._now = now
        self._revisions = itertools.count(1)
        self.functions: dict[str, Json] = {}
        self.settling_reads = 0
        self.images: set[str] | None = None
        self.roles: set[str] | None = None
        self.fails_with = ""

    def _function(self, name: str) -> Json:
        name = name.rpartition(":")[2]
        if name not in self.functions:
            message = f"Function not found: arn:aws:lambda:{self._place}:function:{name}"
            raise Refusal("ResourceNotFoundException", message, 404)
        return self.functions[name]

    def _check(self, params: Json) -> None:
        uri = (params.get("Code") or params).get("ImageUri")
        if uri and self.images is not None and uri not in self.images:
            message = f"Source image {uri} does not exist. Provide a valid source image."
            raise Refusal("InvalidParameterValueException", message)
        role = params.get("Role")
        if role and self.roles is not None and role not in self.roles:
            message = "The role defined for the function cannot be assumed by Lambda."
            raise Refusal("InvalidParameterValueException", message)

    def create_function(self, **params: Any) -> Json:
        name = params["FunctionName"]
        if name in self.functions:
            raise Refusal("ResourceConflictException", f"Function already exist: {name}", 409)
        self._check(params)
        arn = f"arn:aws:lambda:{self._place}:function:{name}"
        configuration = {**_DEFAULTS, "FunctionName": name, "FunctionArn": arn, "Version": "$LATEST"}
        configuration |= {"LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}}
        held = {"configuration": configuration, "code": {}, "tags": dict(params.get("Tags", {})), "wait": 0}
        self.functions[name] = held
        self._configure(held, params)
        self._set_code(held, params["Code"])
        configuration["State"] = "Active"
        self._unsettle(held, {"State": "Pending", "StateReasonCode": "Creating"}, {"State": "Active"})
        answer = dict(configuration)
        # The answer is a look too.
        self._settle(held)
        return answer

    def _configure(self, held: Json, params: Json) -> None:
        configuration = held["configuration"]
        configuration |= {name: params[name] for name in _SETTINGS if name in params}
        if "Layers" in params:
            configuration["Layers"] = [{"Arn": arn, "CodeSize": 1} for arn in params["Layers"]]
        if "ImageConfig" in params:
            configuration["ImageConfigResponse"] = {"ImageConfig": params["ImageConfig"]}
        if "VpcConfig" in params:
            configuration["VpcConfig"] = {**params["VpcConfig"], "VpcId": "vpc-1"}
        if "LoggingConfig" in params:
            configuration["LoggingConfig"] = {**configuration["LoggingConfig"], **params["LoggingConfig"]}
        if not (configuration.get("Environment") or {}).get("Variables"):
            configuration.pop("Environment", None)
        self._touch(held)

    def _set_code(self, held: Json, code: Json) -> None:
        if code.get("ImageUri"):
            held["code"] = {"ImageUri": code["ImageUri"], "RepositoryType": "ECR"}
            content = code["ImageUri"].encode()
        else:
            place = "/".join(str(code.get(part, "")) for part in ("S3Bucket", "S3Key", "S3ObjectVersion"))
            content = code.get("ZipFile") or place.encode()
            held["code"] = {"RepositoryType": "S3"}
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        held["configuration"] |= {"CodeSha256": digest, "CodeSize": len(content)}
        self._touch(held)

    def _touch(self, held: Json) -> None:
        stamp = self._now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        held["configuration"] |= {"RevisionId": f"revision-{next(self._revisions)}", "LastModified": stamp}

    def _unsettle(self, held: Json, meanwhile: Json, afterwards: Json) -> None:
        if self.fails_with:
            reason = {"Reason": "it did not work", "ReasonCode": self.fails_with}
            word = "LastUpdateStatus" if "LastUpdateStatus" in afterwards else "State"
            afterwards = {word: "Failed", **{f"{word}{name}": text for name, text in reason.items()}}
        held["wait"] = self.settling_reads
        held["after"] = afterwards
        held["configuration"] |= meanwhile if self.settling_reads else afterwards

    def _settle(self, held: Json) -> None:
        """One more read has passed."""
        if held["wait"] > 0:
            held["wait"] -= 1
            return
        if "after" in held:
            held["configuration"].pop("StateReasonCode", None)
            held["configuration"] |= held.pop("after")

    def _writable(self, params: Json) -> Json:
        held = self._function(params["FunctionName"])
        configuration = held["configuration"]
        if configuration.get("State") == "Pending" or configuration.get("LastUpdateStatus") == "InProgress":
            raise Refusal("ResourceConflictException", "An update is in progress for the function.", 409)
        if params.get("RevisionId", configuration["RevisionId"]) != configuration["RevisionId"]:
            raise Refusal("PreconditionFailedException", "The Revision Id provided does not match.", 412)
        return held

    def get_function(self, **params: Any) -> Json:
        held = self._function(params["FunctionName"])
        self._settle(held)
        answer = {"Configuration": dict(held["configuration"]), "Code": dict(held["code"])}
        if held["tags"]:
            answer["Tags"] = dict(held["tags"])
        if "concurrency" in held:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": held["concurrency"]}
        return answer

    def update_function_code(self, **params: Any) -> Json:
        held = self._writable(params)
        self._check(params)
        self._set_code(held, params)
        if "Architectures" in params:
            held["configuration"]["Architectures"] = params["Architectures"]
        self._unsettle(held, {"LastUpdateStatus": "InProgress"}, {"LastUpdateStatus": "Successful"})
        return dict(held["configuration"])

    def update_function_configuration(self, **params: Any) -> Json:
        held = self._writable(params)
        self._check(params)
        self._configure(held, params)
        self._unsettle(held, {"LastUpdateStatus": "InProgress"}, {"LastUpdateStatus": "Successful"})
        return dict(held["configuration"])

    def delete_function(self, **params: Any) -> Json:
        self._function(params["FunctionName"])
        del self.functions[params["FunctionName"]]
        return {}

    def tag_resource(self, **params: Any) -> None:
        self._function(params["Resource"])["tags"] |= params["Tags"]

    def untag_resource(self, **params: Any) -> None:
        held = self._function(params["Resource"])
        held["tags"] = {key: value for key, value in held["tags"].items() if key not in params["TagKeys"]}

    def put_function_concurrency(self, **params: Any) -> Json:
        held = self._writable(params)
        held["concurrency"] = params["ReservedConcurrentExecutions"]
        return {"ReservedConcurrentExecutions": held["concurrency"]}

    def delete_function_concurrency(self, **params: Any) -> None:
        self._writable(params).pop("concurrency", None)

    def put_function_event_invoke_config(self, **params: Any) -> Json:
        held = self._function(params["FunctionName"])
        held["event_invoke"] = {name: value for name, value in params.items() if name != "FunctionName"}
        return dict(held["event_invoke"])

    def get_function_event_invoke_config(self, **params: Any) -> Json:
        held = self._function(params["FunctionName"])
        if "event_invoke" not in held:
            raise Refusal("ResourceNotFoundException", "The function doesn't have an EventInvokeConfig", 404)
        return {"FunctionArn": held["configuration"]["FunctionArn"], **held["event_invoke"]}

    def delete_function_event_invoke_config(self, **params: Any) -> None:
        if self._function(params["FunctionName"]).pop("event_invoke", None) is None:
            raise Refusal("ResourceNotFoundException", "The function doesn't have an EventInvokeConfig", 404)

    def put_function_code_signing_config(self, **params: Any) -> Json:
        self._function(params["FunctionName"])["signing"] = params["CodeSigningConfigArn"]
        return {}

    def get_function_code_signing_config(self, **params: Any) -> Json:
        held = self._function(params["FunctionName"])
        found = {"CodeSigningConfigArn": held["signing"]} if "signing" in held else {}
        return {**found, "FunctionName": params["FunctionName"]}

    def delete_function_code_signing_config(self, **params: Any) -> None:
        self._function(params["FunctionName"]).pop("signing", None)
