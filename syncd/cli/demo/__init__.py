"""The demo: two desks in miniature, the daemon between them, and a story that people play on both.

Reading order: story.py (what happens, and what must follow), chapters.py (the steps), world.py
(what a step may use), desks.py and snapshot.py (both desks from outside), compare.py (the verdict),
processes.py and setup.py (what is started), screen.py, command.py.
Nothing here looks into the daemon: the story is judged by what the desks hold.
"""
