"""What `syncd doctor` makes of what was found: diagnoses as values, from pure functions over facts.

Reading order: diagnosis.py, ailments.py, then a file for each thing that is looked at. The facts
are gathered in `syncd.checkup` and shown in `syncd.cli`; here nothing is opened, asked or printed.
"""
