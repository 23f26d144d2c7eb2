"""Trains what the service needs learnt."""
