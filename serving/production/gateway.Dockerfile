# The gateway alone: no TensorFlow. Versions are those of the pipeline's lock.
FROM python:3.10.15-slim
COPY requirements/pipeline.lock /tmp/
RUN sed -n 's/^\([a-z0-9._-]*==[^ ;]*\).*/\1/p' /tmp/pipeline.lock > /tmp/pins.txt \
 && pip install --no-cache-dir --constraint /tmp/pins.txt \
        fastapi fastapi-offline uvicorn httptools uvloop httpx orjson pyarrow pydantic redis tzdata \
 && rm /tmp/*
WORKDIR /app
COPY schemas schemas
COPY serving serving
ENV PYTHONDONTWRITEBYTECODE=1
CMD ["python", "-m", "serving.gateway"]
