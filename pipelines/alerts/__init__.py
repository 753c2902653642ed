"""Events that somebody may want to hear of: which there are (`events.py`), and which were sent where (`outbox.py`, `channels.py`).

An event is recorded before it is sent, and a delivery after the server took it. So a run that is killed in between sends once more, and
never loses one.
"""
