"""Feed, step, engine, checkpoints and the loop, in pure PyTorch."""
