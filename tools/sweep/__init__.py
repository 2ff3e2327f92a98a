"""Many commands, some at a time: which there are, how they run, what came of them."""
