"""The store: the only folder that speaks SQL, on SQLite or PostgreSQL with the same statements.

It never decides what should be sent, or when: it writes down what the corridors decided, each change naming the
state that it leaves.
"""
