"""What is kept, and the words for it.

This room holds the settings, the vocabulary of the field, the schema, the database engine with the embedded
PostgreSQL, the migrations, the rollups and the units. It imports no other room of ours.
"""
