"""Foreign media are read by another process, which sees one descriptor, and gives raw pictures, samples and numbers.

`keeper` has a prepared process at hand, `server`, which forks a confined child for each reading; `reading` is what the rest of
`media` asks. Nothing that a child says is believed before it was checked, and nothing of it is run or unpickled.
"""
