"""Many problems: in worker processes or on a cluster, resumed, sharded, merged."""
