"""Meterbook on one machine: the virtual environment, PostgreSQL, Valkey and the processes of a run.

Standard library only (but for ``backend``), so that it works before anything is installed.
"""
