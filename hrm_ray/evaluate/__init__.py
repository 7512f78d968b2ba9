"""What a checkpoint can do, measured."""
