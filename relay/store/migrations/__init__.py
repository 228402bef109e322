"""The history of the tables, one file a change. Nothing but Alembic runs what is here."""
