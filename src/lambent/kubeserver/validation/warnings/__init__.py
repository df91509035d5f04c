"""What kube-apiserver 1.34 takes with a warning: doubtful values, deprecated members, what will have no effect."""
