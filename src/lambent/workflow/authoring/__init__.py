"""For people who write workflows: render, plan, graph, lints, formatting, inferred CRDs. Offline, without a client."""
