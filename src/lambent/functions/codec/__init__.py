"""The generic codec of the Lambda API: request bytes to model dicts and back, driven by botocore's service model."""

from lambent.functions.codec.corrections import Corrections, corrections
from lambent.functions.codec.parameters import parse_parameters
from lambent.functions.codec.response import serialise
from lambent.functions.codec.router import Route, Router
from lambent.functions.codec.validation import validate

__all__ = ["Corrections", "Route", "Router", "corrections", "parse_parameters", "serialise", "validate"]
