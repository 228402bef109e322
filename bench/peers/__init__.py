"""What a user would pick instead of the relay, installed apart and started as their own documentation says."""
