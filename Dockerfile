# The verifier's service. Built in two steps, so that the image holds neither compiler nor sources:
#
#   docker build -t zkmargin .
#
# Every Python package comes from the locks, by hash; the native extension is built from this folder.

FROM rust:1.89-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements requirements
RUN python3 -m venv /opt/zkmargin \
    && /opt/zkmargin/bin/python -m pip install --no-cache-dir --no-deps --require-hashes -r requirements/pip.txt \
    && /opt/zkmargin/bin/python -m pip install --no-cache-dir --no-deps --require-hashes \
        -r requirements/build.txt -r requirements/runtime.txt
COPY . .
RUN /opt/zkmargin/bin/python -m pip wheel --no-cache-dir --no-deps --no-build-isolation -w /wheels . \
    && /opt/zkmargin/bin/python -m pip install --no-cache-dir --no-deps --no-index /wheels/*.whl \
    && /opt/zkmargin/bin/python -c "import zkmargin._native" \
    && /opt/zkmargin/bin/python -m pip check

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home zkmargin
COPY --from=build /opt/zkmargin /opt/zkmargin
ENV PATH=/opt/zkmargin/bin:$PATH
USER zkmargin
WORKDIR /home/zkmargin
EXPOSE 8420
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8420/readyz', timeout=4)"]
ENTRYPOINT ["zkmargin"]
CMD ["serve"]
