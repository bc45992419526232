"""Senders that exist already, unmodified, against a running web process: ``make compat``.

They live in ``.venv-compat``, an environment of their own, for what they need is not what the product needs.
"""
