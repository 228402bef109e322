"""The side door: the command `relay`. Each file here holds a few commands; what they do is done in the rooms."""
