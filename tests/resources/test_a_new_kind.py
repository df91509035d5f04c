"""A new simple kind is a declaration and nothing else: an SQS queue, which the engine has never heard of."""

import pytest

from lambent.kube.types import GVK
from lambent.resources import schema
from lambent.resources.calls import retag
from lambent.resources.declaration import Field, Kind, Read, Step, Write
from lambent.resources.fake.errors import Refusal
from lambent.resources.fake.world import World
from lambent.resources.planning import tag_map

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/"


def url(subject):
    return {"QueueUrl": f"{URL}{subject.value('queueName')}"}


def attributes(subject, desired):
    wait = desired.get("receiveMessageWaitTimeSeconds")
    return {"ReceiveMessageWaitTimeSeconds": str(wait)} if wait is not None else {}


QUEUE = Kind(
    group="sqs.services.k8s.aws",
    kind="Queue",
    plural="queues",
    service="sqs",
    short="sqs",
    spec=schema.parse("queueName!:s, receiveMessageWaitTimeSeconds:s, tags:map<s>"),
    status=schema.parse("approximateNumberOfMessages:s"),
    name_field="queueName",
    arn=lambda subject, answers: (
        f"arn:{subject.partition}:sqs:{subject.region}:{subject.account_id}:{subject.value('queueName')}"
    ),
    fields=(
        Field("queueName", absent="ignore"),
        Field("receiveMessageWaitTimeSeconds", "queue.Attributes.ReceiveMessageWaitTimeSeconds", neutral="0"),
        Field("tags", "tags.Tags", absent="reset", decode=tag_map),
    ),
    reads=(
        Read("queue", "GetQueueAttributes", lambda subject, answers: {**url(subject), "AttributeNames": ["All"]}),
        Read("tags", "ListQueueTags", lambda subject, answers: url(subject)),
    ),
    create=lambda subject, desired: Step(
        "CreateQueue",
        {"QueueName": desired["queueName"], "Attributes": attributes(subject, desired), "tags": desired["tags"]},
    ),
    delete=lambda subject: Step("DeleteQueue", url(subject)),
    writes=(
        Write(
            "tags",
            ("tags",),
            retag("tags", tag="TagQueue", untag="UntagQueue", identity={"QueueUrl": "@arn"}, as_list=False),
        ),
        Write(
            "attributes",
            ("receiveMessageWaitTimeSeconds",),
            lambda change: [
                Step(
                    "SetQueueAttributes", {**url(change.subject), "Attributes": attributes(change.subject, change.want)}
                )
            ],
        ),
    ),
    absent_codes=frozenset({"AWS.SimpleQueueService.NonExistentQueue"}),
    status_sources=("queue.Attributes",),
    volatile=frozenset({"approximateNumberOfMessages"}),
)


class FakeSqs:
    def __init__(self):
        self.queues = {}

    def queue(self, params):
        if params["QueueUrl"] not in self.queues:
            raise Refusal("AWS.SimpleQueueService.NonExistentQueue", "no such queue")
        return self.queues[params["QueueUrl"]]

    def create_queue(self, **params):
        self.queues[URL + params["QueueName"]] = {"Attributes": params["Attributes"], "Tags": params["tags"]}

    def get_queue_attributes(self, **params):
        return {"Attributes": {"ApproximateNumberOfMessages": "0", **self.queue(params)["Attributes"]}}

    def list_queue_tags(self, **params):
        return {"Tags": self.queue(params)["Tags"]}

    def set_queue_attributes(self, **params):
        self.queue(params)["Attributes"] |= params["Attributes"]

    def delete_queue(self, **params):
        self.queue(params)
        del self.queues[params["QueueUrl"]]


@pytest.fixture
async def world():
    found = World(kinds=(QUEUE,))
    found.aws.services["sqs"] = FakeSqs()
    await found.start()
    yield found
    await found.stop()


async def test_a_declared_kind_lives_without_a_change_of_the_engine(world):
    queues = world.aws.services["sqs"].queues
    assert QUEUE.gvk == GVK("sqs.services.k8s.aws", "v1alpha1", "Queue")
    await world.apply("Queue", "q", {"queueName": "jobs", "receiveMessageWaitTimeSeconds": "5"})
    await world.synced("Queue", "q")
    assert world.status("Queue", "q")["ackResourceMetadata"]["arn"] == "arn:aws:sqs:us-east-1:123456789012:jobs"
    await world.edit("Queue", "q", {"receiveMessageWaitTimeSeconds": None})
    await world.synced("Queue", "q")
    assert queues[URL + "jobs"]["Attributes"] == {"ReceiveMessageWaitTimeSeconds": "0"}
    mark = len(world.aws.calls)
    await world.rest(1300)
    assert world.writes_since(mark) == []
    await world.delete("Queue", "q")
    await world.gone("Queue", "q")
    assert queues == {}
