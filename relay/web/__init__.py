"""The front door: Flask, and the server that runs it. It holds no rule and no SQL."""
