# streamrun, with TLS and SASL towards Kafka:
#   docker build -t streamrun .
#   docker run --rm -v ./pipelines:/pipelines:ro -v streamrun-state:/state streamrun run sensor.toml --kafka HOST:PORT
FROM rust:1.91-bookworm AS build
WORKDIR /streamrun
COPY Cargo.toml Cargo.lock ./
COPY benches ./benches
COPY pipelines ./pipelines
COPY src ./src
COPY tests ./tests
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/streamrun/target \
    cargo build --release --locked --features tls \
    && cp target/release/streamrun /usr/local/bin/streamrun

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --home-dir /state streamrun \
    && install -d -o streamrun -g streamrun /state /pipelines
COPY --from=build /usr/local/bin/streamrun /usr/local/bin/streamrun
USER streamrun
# Snapshots, and who this process is: with the volume it takes its old place after a restart. Where nothing lasts,
# `--instance` names the place instead.
ENV XDG_STATE_HOME=/state
VOLUME /state
WORKDIR /pipelines
EXPOSE 6066
ENTRYPOINT ["streamrun"]
CMD ["help"]
