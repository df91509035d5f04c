"""Writes each event as one JSON object into the bucket that BUCKET_NAME names, and answers with its key."""

import json
import os

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    key = f"events/{context.aws_request_id}.json"
    s3.put_object(
        Bucket=os.environ["BUCKET_NAME"],
        Key=key,
        Body=json.dumps(event).encode(),
        ContentType="application/json",
    )
    return {"bucket": os.environ["BUCKET_NAME"], "key": key}
