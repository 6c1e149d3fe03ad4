"""What runs in the decode child: FFmpeg and OpenCV on bytes that anybody may have made. Knows no path and opens no file.

Each job takes a file that is open and what was asked, and gives pieces. A refusal is the end of a sentence that begins with the
file's name, which only the parent knows.
"""
