"""IAM, as far as roles and managed policies go.

Source: IAM API reference. Kept of AWS's strictness: names exist once, five policy versions, DeleteConflict while
anything is attached, documents answered URL-encoded, an empty description equal to none.
"""

import itertools
from typing import Any
from urllib.parse import quote

from lambent.clock import WallClock
from lambent.resources.fake.errors import Refusal

_VERSIONS = 5
Json = dict[str, Any]


class FakeIam:
    """`roles` by name, `policies` by ARN; each holds the answer's members and, beside them, what is attached."""

    def __init__(self, account_id: str, now: WallClock) -> None:
        self._account_id = account_id
        self._now = now
        self._ids = itertools.count(1)
        self.roles: dict[str, Json] = {}
        self.policies: dict[str, Json] = {}
        self.profiles: dict[str, list[str]] = {}

    def _arn(self, what: str, path: str, name: str) -> str:
        return f"arn:aws:iam::{self._account_id}:{what}{path}{name}"

    def _role(self, name: str) -> Json:
        if name not in self.roles:
            raise Refusal("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
        return self.roles[name]

    def _policy(self, arn: str) -> Json:
        if arn not in self.policies:
            raise Refusal("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
        return self.policies[arn]

    def create_role(self, **params: Any) -> Json:
        name, path = params["RoleName"], params.get("Path", "/")
        if name in self.roles:
            raise Refusal("EntityAlreadyExists", f"Role with name {name} already exists.", 409)
        role: Json = {
            "Path": path,
            "RoleName": name,
            "RoleId": f"AROA{next(self._ids):016d}",
            "Arn": self._arn("role", path, name),
            "CreateDate": self._now(),
            "AssumeRolePolicyDocument": quote(params["AssumeRolePolicyDocument"]),
            "MaxSessionDuration": params.get("MaxSessionDuration", 3600),
            "Tags": list(params.get("Tags", [])),
        }
        if params.get("Description"):
            role["Description"] = params["Description"]
        if params.get("PermissionsBoundary"):
            role["PermissionsBoundary"] = {"PermissionsBoundaryArn": params["PermissionsBoundary"]}
        self.roles[name] = {"role": role, "attached": [], "inline": {}}
        return {"Role": role}

    def get_role(self, **params: Any) -> Json:
        return {"Role": dict(self._role(params["RoleName"])["role"])}

    def update_role(self, **params: Any) -> Json:
        role = self._role(params["RoleName"])["role"]
        if "Description" in params:
            role["Description"] = params["Description"]
        if "MaxSessionDuration" in params:
            role["MaxSessionDuration"] = params["MaxSessionDuration"]
        return {}

    def update_assume_role_policy(self, **params: Any) -> None:
        self._role(params["RoleName"])["role"]["AssumeRolePolicyDocument"] = quote(params["PolicyDocument"])

    def put_role_permissions_boundary(self, **params: Any) -> None:
        boundary = {"PermissionsBoundaryArn": params["PermissionsBoundary"]}
        self._role(params["RoleName"])["role"]["PermissionsBoundary"] = boundary

    def delete_role_permissions_boundary(self, **params: Any) -> None:
        self._role(params["RoleName"])["role"].pop("PermissionsBoundary", None)

    def tag_role(self, **params: Any) -> None:
        _tag(self._role(params["RoleName"])["role"], params["Tags"])

    def untag_role(self, **params: Any) -> None:
        _untag(self._role(params["RoleName"])["role"], params["TagKeys"])

    def attach_role_policy(self, **params: Any) -> None:
        arn = params["PolicyArn"]
        held = self._role(params["RoleName"])
        if not arn.startswith("arn:aws:iam::aws:"):
            self._policy(arn)
        if arn not in held["attached"]:
            held["attached"].append(arn)

    def detach_role_policy(self, **params: Any) -> None:
        held = self._role(params["RoleName"])
        if params["PolicyArn"] not in held["attached"]:
            raise Refusal("NoSuchEntity", f"Policy {params['PolicyArn']} was not found.", 404)
        held["attached"].remove(params["PolicyArn"])

    def list_attached_role_policies(self, **params: Any) -> Json:
        held = self._role(params["RoleName"])
        found = [{"PolicyArn": arn, "PolicyName": arn.rpartition("/")[2]} for arn in held["attached"]]
        return {"AttachedPolicies": found, "IsTruncated": False}

    def put_role_policy(self, **params: Any) -> None:
        self._role(params["RoleName"])["inline"][params["PolicyName"]] = params["PolicyDocument"]

    def delete_role_policy(self, **params: Any) -> None:
        if self._role(params["RoleName"])["inline"].pop(params["PolicyName"], None) is None:
            raise Refusal("NoSuchEntity", f"The role policy {params['PolicyName']} cannot be found.", 404)

    def list_role_policies(self, **params: Any) -> Json:
        return {"PolicyNames": sorted(self._role(params["RoleName"])["inline"]), "IsTruncated": False}

    def get_role_policy(self, **params: Any) -> Json:
        document = self._role(params["RoleName"])["inline"].get(params["PolicyName"])
        if document is None:
            raise Refusal("NoSuchEntity", f"The role policy {params['PolicyName']} cannot be found.", 404)
        return {"PolicyName": params["PolicyName"], "PolicyDocument": quote(document)}

    def list_instance_profiles_for_role(self, **params: Any) -> Json:
        names = [name for name, roles in self.profiles.items() if params["RoleName"] in roles]
        return {"InstanceProfiles": [{"InstanceProfileName": name} for name in names], "IsTruncated": False}

    def delete_role(self, **params: Any) -> None:
        held = self._role(params["RoleName"])
        profiles = any(params["RoleName"] in roles for roles in self.profiles.values())
        if held["attached"] or held["inline"] or profiles:
            raise Refusal("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
        del self.roles[params["RoleName"]]

    def create_policy(self, **params: Any) -> Json:
        name, path = params["PolicyName"], params.get("Path", "/")
        arn = self._arn("policy", path, name)
        if arn in self.policies:
            raise Refusal("EntityAlreadyExists", f"A policy called {name} already exists.", 409)
        policy: Json = {
            "PolicyName": name,
            "PolicyId": f"ANPA{next(self._ids):016d}",
            "Arn": arn,
            "Path": path,
            "DefaultVersionId": "v1",
            "IsAttachable": True,
            "PermissionsBoundaryUsageCount": 0,
            "CreateDate": self._now(),
            "UpdateDate": self._now(),
            "Tags": list(params.get("Tags", [])),
        }
        if params.get("Description"):
            policy["Description"] = params["Description"]
        self.policies[arn] = {"policy": policy, "versions": {"v1": params["PolicyDocument"]}, "next": 2}
        # Whether AWS repeats these is not documented, so nobody may rely on it.
        return {"Policy": {name: value for name, value in policy.items() if name not in ("Description", "Tags")}}

    def get_policy(self, **params: Any) -> Json:
        arn = params["PolicyArn"]
        policy = self._policy(arn)["policy"]
        count = sum(arn in held["attached"] for held in self.roles.values())
        return {"Policy": {**policy, "AttachmentCount": count}}

    def get_policy_version(self, **params: Any) -> Json:
        versions = self._policy(params["PolicyArn"])["versions"]
        version = params["VersionId"]
        if version not in versions:
            raise Refusal("NoSuchEntity", f"Policy version {version} does not exist.", 404)
        return {"PolicyVersion": {"VersionId": version, "Document": quote(versions[version])}}

    def list_policy_versions(self, **params: Any) -> Json:
        held = self._policy(params["PolicyArn"])
        default = held["policy"]["DefaultVersionId"]
        found = [{"VersionId": name, "IsDefaultVersion": name == default} for name in held["versions"]]
        return {"Versions": found, "IsTruncated": False}

    def create_policy_version(self, **params: Any) -> Json:
        held = self._policy(params["PolicyArn"])
        if len(held["versions"]) >= _VERSIONS:
            raise Refusal("LimitExceeded", "A managed policy can have up to 5 versions.", 409)
        name = f"v{held['next']}"
        held["next"] += 1
        held["versions"][name] = params["PolicyDocument"]
        if params.get("SetAsDefault"):
            held["policy"] |= {"DefaultVersionId": name, "UpdateDate": self._now()}
        return {"PolicyVersion": {"VersionId": name}}

    def delete_policy_version(self, **params: Any) -> None:
        held = self._policy(params["PolicyArn"])
        if held["policy"]["DefaultVersionId"] == params["VersionId"]:
            raise Refusal("DeleteConflict", "Cannot delete the default version of a policy.", 409)
        if held["versions"].pop(params["VersionId"], None) is None:
            raise Refusal("NoSuchEntity", f"Policy version {params['VersionId']} does not exist.", 404)

    def tag_policy(self, **params: Any) -> None:
        _tag(self._policy(params["PolicyArn"])["policy"], params["Tags"])

    def untag_policy(self, **params: Any) -> None:
        _untag(self._policy(params["PolicyArn"])["policy"], params["TagKeys"])

    def list_entities_for_policy(self, **params: Any) -> Json:
        self._policy(params["PolicyArn"])
        roles = [{"RoleName": name} for name, held in self.roles.items() if params["PolicyArn"] in held["attached"]]
        return {"PolicyRoles": roles, "PolicyUsers": [], "PolicyGroups": [], "IsTruncated": False}

    def delete_policy(self, **params: Any) -> None:
        arn = params["PolicyArn"]
        held = self._policy(arn)
        if any(arn in role["attached"] for role in self.roles.values()):
            raise Refusal("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
        if len(held["versions"]) > 1:
            raise Refusal("DeleteConflict", "This policy has more than one version.", 409)
        del self.policies[arn]


def _tag(entity: Json, tags: list[Json]) -> None:
    merged = {tag["Key"]: tag["Value"] for tag in [*entity["Tags"], *tags]}
    entity["Tags"] = [{"Key": key, "Value": value} for key, value in merged.items()]


def _untag(entity: Json, keys: list[str]) -> None:
    entity["Tags"] = [tag for tag in entity["Tags"] if tag["Key"] not in keys]
