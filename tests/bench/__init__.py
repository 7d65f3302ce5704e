"""Speed and cost, measured: `python -m tests.bench` writes raw JSON and the page that shows it.

Each `measure_*` module gives one `Measured`; goals stand beside figures and fail nothing.
What a figure is held against is taken in the same run: a floor (`floor/`, which imports nothing of
syncd) or a peer. Linux only: another process's CPU time and memory are read from the kernel.
"""
