"""Operations: health, readiness, which model."""
