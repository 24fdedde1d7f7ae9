# Two targets, foo-service and load-client. Each is Debian's slim image with one program, which runs as an unprivileged user.
#
#   docker build --target foo-service -t foo-service .
#   docker run --rm -p 127.0.0.1:50051:50051 -p 127.0.0.1:9464:9464 foo-service --workers 4
FROM rust:1.95-slim-trixie AS build
WORKDIR /src
COPY . .
# The caches keep the compiled dependencies between builds. A source file may be older than the cached result of an earlier
# build, and cargo would then not compile it. `touch` makes cargo compile every file again.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    find . -path ./target -prune -o -type f -exec touch {} + \
    && cargo build --release --locked --bin foo-service --bin load-client \
    && install -D -t /out target/release/foo-service target/release/load-client

FROM debian:trixie-slim AS foo-service
LABEL org.opencontainers.image.title="foo-service" \
      org.opencontainers.image.description="A gRPC service with one worker pool behind a queue and a synchronous RPC" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /out/foo-service /usr/local/bin/
# The loopback interface of a container cannot be reached from outside, so the program listens on all interfaces. The command
# that starts the container decides which ports to publish.
ENV FOO_LISTEN=0.0.0.0:50051 FOO_ADMIN_LISTEN=0.0.0.0:9464
EXPOSE 50051 9464
USER 10001:10001
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["/usr/local/bin/foo-service", "health"]
ENTRYPOINT ["/usr/local/bin/foo-service"]

FROM debian:trixie-slim AS load-client
LABEL org.opencontainers.image.title="load-client" \
      org.opencontainers.image.description="Drives a gRPC service with many clients and reports what happened" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /out/load-client /usr/local/bin/
ENV LOAD_PROMETHEUS_ADDR=0.0.0.0:9465
EXPOSE 9465
USER 10001:10001
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["/usr/local/bin/load-client", "health"]
ENTRYPOINT ["/usr/local/bin/load-client"]
