"""The Lambda service: control-plane API, state in Kubernetes objects, code artifacts, the function controller."""

from lambent.functions.api import LambdaApi
from lambent.functions.artifacts import Artifact, ArtifactStore
from lambent.functions.backend import Backend
from lambent.functions.code import CodeIntake
from lambent.functions.controller import FunctionReconciler, controllers
from lambent.functions.crds import crds
from lambent.functions.directory import FunctionDirectory, Target
from lambent.functions.downloads import Downloads
from lambent.functions.executor import Executor
from lambent.functions.images import ImageMissing, ImageResolver, ResolvedImage
from lambent.functions.limits import Limits
from lambent.functions.objects import ObjectSource
from lambent.functions.resetting import reset
from lambent.functions.roles import AnyRole, RoleChecker
from lambent.functions.store import FunctionStore

__all__ = [
    "AnyRole",
    "Artifact",
    "ArtifactStore",
    "Backend",
    "CodeIntake",
    "Downloads",
    "Executor",
    "FunctionDirectory",
    "FunctionReconciler",
    "FunctionStore",
    "ImageMissing",
    "ImageResolver",
    "LambdaApi",
    "Limits",
    "ObjectSource",
    "ResolvedImage",
    "RoleChecker",
    "Target",
    "controllers",
    "crds",
    "reset",
]
