"""Model files by name and SHA-256, and the callables made of them. The one home of mediapipe, onnxruntime, cv2.dnn."""
