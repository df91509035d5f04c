"""The embedded AWS: moto as a WSGI app, with our rules for accounts and regions and corrections where it differs."""

from lambent.aws.embedded.accounts import Accounts, issued_secret
from lambent.aws.embedded.application import EmbeddedAws, may_wait
from lambent.aws.embedded.ecr import EcrMirror, space_of_host
from lambent.aws.embedded.snapshot import SAVED

__all__ = ["SAVED", "Accounts", "EcrMirror", "EmbeddedAws", "issued_secret", "may_wait", "space_of_host"]
