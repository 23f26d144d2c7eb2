"""Routes in the shapes of OpenAI's API."""

from __future__ import annotations

from fastapi import APIRouter

from app.openai.batches_routes import router as batches
from app.openai.files_routes import router as files

router = APIRouter()
for each in (files, batches):
    router.include_router(each)
