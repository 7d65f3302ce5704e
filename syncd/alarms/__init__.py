"""Alarms to people: what is seen, what is on record, and how a message gets there.

What is decided is in `syncd.core.alarm`, `alarm_news` and `alarm_words`.
"""
