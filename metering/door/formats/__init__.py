"""What senders write, one file a format, all of one shape.

``recognizes(members)`` says whether a JSON object is an event of the format, ``draft(members)`` reads it or
raises `EventUnreadable`, ``keepable(members)`` is what may be kept of one that cannot be read, and
``answer(receipt, drafts, is_batch, at)`` is the body that its senders expect back, ``at`` the instant of the
receipt. Members are JSON texts, by name.
"""
