"""facedouble: a volunteer's face and another voice for a person in danger, the performance their own."""

import os

# Frames are drawn side by side; threads inside of small matrix products would only wait for each other. Read by numpy's
# library once, when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# onnxruntime writes down each start of the program, with a number of its own for this machine, into a plain database in the
# user's cache folder, and sends it away where there is a network, unless this is set before it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
