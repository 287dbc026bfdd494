"""What runs experiments: how a process on Ray begins, ends, and leaves its folder."""
