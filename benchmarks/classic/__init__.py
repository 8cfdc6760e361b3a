"""Classic sanity: the strategies' own code on a small classifier, where the literature knows the order.

python -m benchmarks.classic [--quick]
"""
