"""Sentence encoders: texts to vectors that are near each other where the meanings are."""
