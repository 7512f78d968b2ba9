"""The network, in pure PyTorch: neither Ray nor DeepSpeed."""
