# The sidecar's image: one static program, and the roots that it trusts; no shell, no user but nobody.
#
#   docker build --tag brightstaff-exporter --build-arg GIT_SHA=$(git rev-parse HEAD) .
#
# builds it from source. Releases build the stage `release` from dist/image, which holds the program of each
# architecture as the archives have it.
FROM alpine:3.22 AS roots
RUN apk add --no-cache ca-certificates

FROM rust:1-alpine AS build
RUN apk add --no-cache build-base
WORKDIR /source
COPY . .
ARG GIT_SHA=unknown
# musl's targets are static.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --profile dist --locked --package brightstaff-exporter && \
    cp target/dist/brightstaff-exporter /

FROM scratch AS base
COPY --from=roots /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
# Nobody.
USER 65534:65534
ENV BIND_ADDRESS=0.0.0.0:12000 METRICS_BIND_ADDRESS=0.0.0.0:9092
EXPOSE 12000 9092
# No HEALTHCHECK: nothing here could ask. /healthz on 9092 is for who starts the container.
ENTRYPOINT ["/brightstaff-exporter"]
CMD ["serve", "--help"]

FROM base AS release
ARG TARGETARCH
COPY ${TARGETARCH}/brightstaff-exporter /brightstaff-exporter

FROM base
COPY --from=build /brightstaff-exporter /brightstaff-exporter
