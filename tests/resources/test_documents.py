"""Sixty pairs of policy documents: the same meaning in another form, and look-alikes that mean something else."""

import json
from urllib.parse import quote

import pytest

from lambent.resources.documents import same_document


def policy(*statements, version="2012-10-17"):
    return {"Version": version, "Statement": list(statements)}


def allow(action="s3:GetObject", resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal, action="sts:AssumeRole", **more):
    return policy({"Effect": "Allow", "Principal": principal, "Action": action, **more})


A, B = allow("s3:GetObject"), allow("s3:PutObject")
ACCOUNT, ROOT = "123456789012", "arn:aws:iam::123456789012:root"
CHINA_ROOT = "arn:aws-cn:iam::123456789012:root"
WHEN = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}

SAME = {
    "identical": (policy(A), policy(A)),
    "key-order": ('{"Version":"1","Statement":[]}', '{"Statement":[],"Version":"1"}'),
    "white-space": (json.dumps(policy(A), indent=8), json.dumps(policy(A), separators=(",", ":"))),
    "url-encoded": (quote(json.dumps(policy(A))), json.dumps(policy(A))),
    "parsed": (policy(A), json.dumps(policy(A))),
    "statement-order": (policy(A, B), policy(B, A)),
    "single-statement": ({"Version": "2012-10-17", "Statement": A}, policy(A)),
    "action-list": (policy(allow(["s3:GetObject"])), policy(A)),
    "action-case": (policy(allow("S3:getobject")), policy(A)),
    "action-order": (policy(allow(["a:B", "c:D"])), policy(allow(["c:D", "a:B"]))),
    "action-twice": (policy(allow(["a:B", "a:B"])), policy(allow("a:B"))),
    "not-action-case": (policy({"Effect": "Deny", "NotAction": "A:b", "Resource": "*"}),
                        policy({"Effect": "Deny", "NotAction": ["a:B"], "Resource": "*"})),
    "resource-list": (policy(allow(resource=["arn:x"])), policy(allow(resource="arn:x"))),
    "resource-order": (policy(allow(resource=["a", "b"])), policy(allow(resource=["b", "a"]))),
    "not-resource": (policy({"Effect": "Deny", "Action": "*", "NotResource": ["a"]}),
                     policy({"Effect": "Deny", "Action": "*", "NotResource": "a"})),
    "account-and-root": (trust({"AWS": ACCOUNT}), trust({"AWS": ROOT})),
    "account-in-a-list": (trust({"AWS": [ACCOUNT]}), trust({"AWS": ROOT})),
    "account-of-another-partition": (trust({"AWS": ACCOUNT}), trust({"AWS": CHINA_ROOT})),
    "everybody": (trust("*"), trust({"AWS": "*"})),
    "everybody-in-a-list": (trust({"AWS": ["*"]}), trust("*")),
    "service-list": (trust({"Service": ["lambda.amazonaws.com"]}), trust({"Service": "lambda.amazonaws.com"})),
    "service-order": (trust({"Service": ["a", "b"]}), trust({"Service": ["b", "a"]})),
    "two-kinds-of-principal": (trust({"Service": "a", "AWS": [ROOT]}), trust({"AWS": ACCOUNT, "Service": ["a"]})),
    "federated": (trust({"Federated": ["arn:idp"]}), trust({"Federated": "arn:idp"})),
    "not-principal": (policy({"Effect": "Deny", "NotPrincipal": {"AWS": ACCOUNT}, "Action": "*"}),
                      policy({"Effect": "Deny", "NotPrincipal": {"AWS": [ROOT]}, "Action": ["*"]})),
    "condition-list": (policy(allow(Condition={"StringEquals": {"k": ["v"]}})),
                       policy(allow(Condition={"StringEquals": {"k": "v"}}))),
    "condition-order": (policy(allow(Condition={"StringEquals": {"k": ["v", "w"]}})),
                        policy(allow(Condition={"StringEquals": {"k": ["w", "v"]}}))),
    "condition-key-case": (policy(allow(Condition={"StringEquals": {"AWS:SourceAccount": ACCOUNT}})),
                           policy(allow(Condition=WHEN))),
    "condition-operator-case": (policy(allow(Condition={"stringequals": {"aws:SourceAccount": ACCOUNT}})),
                                policy(allow(Condition=WHEN))),
    "condition-boolean": (policy(allow(Condition={"Bool": {"aws:SecureTransport": True}})),
                          policy(allow(Condition={"Bool": {"aws:SecureTransport": "true"}}))),
    "condition-number": (policy(allow(Condition={"NumericLessThan": {"s3:max-keys": 10}})),
                         policy(allow(Condition={"NumericLessThan": {"s3:max-keys": "10"}}))),
    "empty-sid": (policy(allow(Sid="")), policy(A)),
    "no-documents": ("", ""),
    "none-and-empty": (None, ""),
    "both-not-json": ("not json", " not json "),
    "empty-statements": (policy(), {"Version": "2012-10-17", "Statement": []}),
}  # fmt: skip

DIFFERENT = {
    "effect": (policy(A), policy({**A, "Effect": "Deny"})),
    "action": (policy(A), policy(B)),
    "action-added": (policy(allow(["a:B"])), policy(allow(["a:B", "a:C"]))),
    "action-or-not-action": (policy(allow("a:B")), policy({"Effect": "Allow", "NotAction": "a:B", "Resource": "*"})),
    "resource": (policy(allow(resource="a")), policy(allow(resource="b"))),
    "resource-case": (policy(allow(resource="arn:aws:s3:::A")), policy(allow(resource="arn:aws:s3:::a"))),
    "resource-or-not-resource": (policy(allow(resource="a")),
                                 policy({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "a"})),
    "statement-missing": (policy(A, B), policy(A)),
    "statement-twice": (policy(A, A), policy(A)),
    "version": (policy(A), policy(A, version="2008-10-17")),
    "sid": (policy(allow(Sid="one")), policy(allow(Sid="two"))),
    "sid-missing": (policy(allow(Sid="one")), policy(A)),
    "id": ({**policy(A), "Id": "x"}, policy(A)),
    "other-account": (trust({"AWS": ACCOUNT}), trust({"AWS": "210987654321"})),
    "root-and-role": (trust({"AWS": ROOT}), trust({"AWS": f"arn:aws:iam::{ACCOUNT}:role/root"})),
    "service": (trust({"Service": "lambda.amazonaws.com"}), trust({"Service": "ec2.amazonaws.com"})),
    "service-or-aws": (trust({"Service": "*"}), trust({"AWS": "*"})),
    "principal-or-not": (trust({"AWS": ACCOUNT}),
                         policy({"Effect": "Allow", "NotPrincipal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})),
    "condition-missing": (policy(allow(Condition=WHEN)), policy(A)),
    "condition-value": (policy(allow(Condition=WHEN)),
                        policy(allow(Condition={"StringEquals": {"aws:SourceAccount": "1"}}))),
    "condition-value-case": (policy(allow(Condition={"StringEquals": {"k": "V"}})),
                             policy(allow(Condition={"StringEquals": {"k": "v"}}))),
    "condition-operator": (policy(allow(Condition={"StringLike": {"k": "v"}})),
                           policy(allow(Condition={"StringEquals": {"k": "v"}}))),
    "document-or-none": (policy(A), ""),
    "json-or-not": (json.dumps(policy(A)), "not json"),
}  # fmt: skip


def test_the_corpus_has_sixty_pairs():
    assert len(SAME) + len(DIFFERENT) == 60


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME)
def test_another_form_of_the_same_document_is_the_same(pair):
    assert same_document(*pair)
    assert same_document(*reversed(pair))


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_another_meaning_is_a_difference(pair):
    assert not same_document(*pair)
    assert not same_document(*reversed(pair))
