"""Tests of models/. From there: python -m unittest discover -s tests -t ."""
import importlib.util
import unittest

for package, name in (("torch", "torch"), ("onnx", "onnx"), ("safetensors", "safetensors"), ("numpy", "numpy"),
                      ("cv2", "opencv-python-headless")):
    if importlib.util.find_spec(package) is None:
        raise unittest.SkipTest(f"{name} is not installed: pip install -r models/requirements.txt")
