"""lambent: AWS-Lambda-compatible functions as a native part of Kubernetes."""

__version__ = "0.1.0"
