"""One suite for all clients: the fake, and both transports of the embedded server."""

import pytest
from tests.kube.client_claims import WIDGETS, ClientClaims

from lambent.kube.fake import FakeKube

REAL_TIME = True


class TestFake(ClientClaims):
    @pytest.fixture
    def client(self):
        return FakeKube(crds=[WIDGETS])

    @pytest.fixture
    def ns(self):
        return "default"
