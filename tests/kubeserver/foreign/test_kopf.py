"""An operator written with kopf, unmodified: it handles creation, writes status, and removes its finalizer."""

import asyncio

import kopf
import pytest
import yaml

from lambent.kube.errors import NotFound
from lambent.kube.types import GroupVersionKind, Key
from tests.kubeserver.foreign.gadgets import GROUP, gadget

REAL_TIME = True
pytestmark = pytest.mark.e2e
