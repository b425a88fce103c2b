"""The experiments, one file a chapter. May import: the standard library, SimPy, the rooms above.

They also run in a browser, so nothing here may import NumPy; a test sees to it.
"""
