"""Real emitters against a scripted model server: what each library writes of calls is compared with what was served.

`model_server.py` serves and keeps the book, `emitters/` run in environments of their own, `compare.py` reads what they wrote with
modelmeter's formats, `run.py` does one environment after the other. The outcome is docs/interoperability.md.
"""
