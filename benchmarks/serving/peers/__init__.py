"""The same SavedModel behind servers that people use instead, each in an environment of its own.

MODEL names the SavedModel's folder, PORT where to listen. Each gathers up to 32 requests.
"""
