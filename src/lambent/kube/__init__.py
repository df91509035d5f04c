"""The Kubernetes kit: client, kubeconfig, informers, work queue, controller runner, leader election, conditions.

It knows none of our kinds and not whether the server is real or embedded. Import from the modules: `kube.client` and
`kube.types` are what every layer above speaks, the others are parts to build controllers from.
"""
