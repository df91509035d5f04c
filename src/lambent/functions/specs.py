"""From a stored version of a function to the `FunctionSpec` that an execution back end runs."""

from types import MappingProxyType
from typing import Any

from lambent.aws.arn import FunctionId
from lambent.functions.artifacts import ArtifactStore
from lambent.functions.configuration import Configuration, loaded
from lambent.functions.record import CodeRef
from lambent.runtime.function_spec import FunctionSpec, ImageCode, PoolKey, ZipCode


def pool_key(function: FunctionId, version: str, revision: str) -> PoolKey:
    return PoolKey(f"{function.arn}:{version}#{revision}")


_NOT_SERVED = frozenset(("code", "tags", "revision", "policy", "eventInvokeConfig", "runtimeManagement"))


def serving_fields(spec: dict[str, Any], code: CodeRef, *, revision: str) -> dict[str, Any]:
    """What `status.serving` keeps of a spec, so that it goes on serving while the spec moves on."""
    configuration = {key: value for key, value in spec.items() if key not in _NOT_SERVED}
    return {"revision": revision, "configuration": configuration, "code": code.to_fields()}


def serving_spec(serving: dict[str, Any], function: FunctionId, artifacts: ArtifactStore) -> FunctionSpec:
    """The inverse, ready to run. `serving` as `serving_fields` made it."""
    configuration = serving["configuration"]
    code = CodeRef.from_fields(serving["code"])
    assert code is not None, "only fetched code is served"
    return build_spec(
        function,
        version=str(configuration.get("version", "$LATEST")),
        revision=serving["revision"],
        configuration=loaded(configuration, function.name),
        code=code,
        artifacts=artifacts,
    )


def build_spec(
    function: FunctionId,
    *,
    version: str,
    revision: str,
    configuration: Configuration,
    code: CodeRef,
    artifacts: ArtifactStore,
) -> FunctionSpec:
    return FunctionSpec(
        pool_key=pool_key(function, version, revision),
        arn=function.arn,
        name=function.name,
        version=version,
        code=_code(code, configuration.get("ImageConfig", {}), artifacts),
        handler=configuration.get("Handler", ""),
        runtime=configuration.get("Runtime", ""),
        environment=MappingProxyType(dict(configuration.get("Environment", {}).get("Variables", {}))),
        timeout_s=float(configuration["Timeout"]),
        memory_mb=configuration["MemorySize"],
        region=function.region,
        account_id=function.account,
        role=configuration.get("Role", ""),
        log_group=configuration["LoggingConfig"]["LogGroup"],
    )


def _code(code: CodeRef, image_config: dict[str, Any], artifacts: ArtifactStore) -> ZipCode | ImageCode:
    if code.artifact:
        return ZipCode(path=artifacts.path(code.artifact.sha256), sha256=code.artifact.sha256)
    return ImageCode(
        uri=code.image_uri,
        digest=code.digest,
        entrypoint=_words(image_config.get("EntryPoint")),
        command=_words(image_config.get("Command")),
        working_directory=image_config.get("WorkingDirectory"),
    )


def _words(words: list[str] | None) -> tuple[str, ...] | None:
    return tuple(words) if words else None
