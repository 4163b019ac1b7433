"""The only room that opens the database or writes objects.

Everything durable here is a write-once file or a single-writer append log; the
SQLite index can be deleted and is rebuilt.
"""
