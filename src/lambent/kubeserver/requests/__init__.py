"""What comes in: bodies as JSON, YAML or protobuf, read as kube-apiserver reads them."""
