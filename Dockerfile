# The sidecar's image: the static binary of a release, and the roots that it trusts. Built by the release
# workflow from dist/image, which holds the binary of each architecture.
FROM alpine:3.22 AS roots
RUN apk add --no-cache ca-certificates

FROM scratch
ARG TARGETARCH
COPY --from=roots /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY ${TARGETARCH}/brightstaff-exporter /brightstaff-exporter
# Nobody.
USER 65534:65534
ENV BIND_ADDRESS=0.0.0.0:12000 METRICS_BIND_ADDRESS=0.0.0.0:9092
EXPOSE 12000 9092
ENTRYPOINT ["/brightstaff-exporter"]
CMD ["serve", "--help"]
