# Two images from one file:
#   docker build --target coordinator -t framefarm-coordinator .    Python and ffmpeg, no browser
#   docker build --target worker      -t framefarm-worker .         the same, Chromium and fonts
# Both run as a user without rights, with a read-only root and a writable /tmp.
ARG BASE=debian:bookworm-slim

# -- what both run on ----------------------------------------------------------------------------
FROM ${BASE} AS runtime
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates ffmpeg python3 tini \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 framefarm \
 && useradd --uid 10001 --gid framefarm --no-create-home --home-dir /tmp --shell /usr/sbin/nologin framefarm \
 && install -d -o framefarm -g framefarm /var/lib/framefarm
ENV PATH=/opt/framefarm/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FRAMEFARM_LOG_FORMAT=json

# -- the application, built beside it: no pip and no compiler reach an image -----------------------
FROM ${BASE} AS builder
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3-venv \
 && python3 -m venv /opt/build \
 && python3 -m venv --without-pip /opt/framefarm
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.lock requirements-build.lock ./
RUN /opt/build/bin/pip install --require-hashes -r requirements-build.lock \
 && /opt/build/bin/pip --python /opt/framefarm/bin/python install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY protos protos
COPY renderer renderer
COPY executors executors
COPY serving serving
COPY worker worker
COPY coordinator coordinator
COPY framefarm framefarm
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /build/dist . \
 && /opt/build/bin/pip --python /opt/framefarm/bin/python install --no-deps --no-index /build/dist/*.whl

# Playwright's driver installs browsers (160 MB); the worker's image has Debian's.
RUN rm -r /opt/framefarm/lib/python3*/site-packages/playwright/driver

# -- coordinator -----------------------------------------------------------------------------------
FROM runtime AS coordinator
COPY --from=builder /opt/framefarm /opt/framefarm
USER 10001:10001
ENV FRAMEFARM_COORDINATOR_LISTEN=0.0.0.0:50050 \
    FRAMEFARM_COORDINATOR_WORKERS=dns:///worker:50051 \
    FRAMEFARM_COORDINATOR_DATA_DIR=/var/lib/framefarm
VOLUME /var/lib/framefarm
EXPOSE 50050
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "serving.health_check", "127.0.0.1:50050"]
ENTRYPOINT ["tini", "--", "framefarm"]
CMD ["coordinator"]

# -- worker ----------------------------------------------------------------------------------------
FROM runtime AS worker
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      chromium-headless-shell fontconfig fonts-dejavu-core fonts-liberation2 fonts-noto-color-emoji \
      fonts-wqy-zenhei \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY --from=builder /opt/framefarm /opt/framefarm
USER 10001:10001
ENV FRAMEFARM_WORKER_LISTEN=0.0.0.0:50051 \
    FRAMEFARM_WORKER_DATA_DIR=/var/lib/framefarm
VOLUME /var/lib/framefarm
EXPOSE 50051
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "serving.health_check", "127.0.0.1:50051"]
ENTRYPOINT ["tini", "--", "framefarm"]
CMD ["worker"]
