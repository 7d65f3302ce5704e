"""The demo: two desks in miniature, the daemon between them, and a story that people play on both.

Reading order: story.py (what every step shares: who said what, and the promises), chapters.py (the
steps), world.py (what a step may use), desks.py and snapshot.py (both desks from outside),
compare.py (the verdict), scene.py and processes.py (what is started), performance.py, screen.py.
Nothing here looks into the daemon: the story is judged by what the desks hold.
"""
