# Two targets, foo-service and load-client: each is Debian's slim image and one program, run by nobody in particular.
#
#   docker build --target foo-service -t foo-service .
#   docker run --rm -p 127.0.0.1:50051:50051 -p 127.0.0.1:9464:9464 foo-service --workers 4
FROM rust:1.95-slim-trixie AS build
WORKDIR /src
COPY . .
# The caches hold the dependencies, compiled, from build to build. They outlive a checkout, so that a source may be older
# than what was compiled from its predecessor: touched, it is compiled anew.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    find proto flags pages pem foo-service load-client labs -type f -exec touch {} + \
    && cargo build --release --locked --bin foo-service --bin load-client \
    && install -D -t /out target/release/foo-service target/release/load-client

FROM debian:trixie-slim AS foo-service
COPY --from=build /out/foo-service /usr/local/bin/
# Within a container, loopback is reached by nobody else. What is published, and where, is the business of who runs it.
ENV FOO_LISTEN=0.0.0.0:50051 FOO_ADMIN_LISTEN=0.0.0.0:9464
EXPOSE 50051 9464
USER 10001:10001
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["/usr/local/bin/foo-service", "health"]
ENTRYPOINT ["/usr/local/bin/foo-service"]

FROM debian:trixie-slim AS load-client
COPY --from=build /out/load-client /usr/local/bin/
ENV LOAD_PROMETHEUS_ADDR=0.0.0.0:9465
EXPOSE 9465
USER 10001:10001
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["/usr/local/bin/load-client", "health"]
ENTRYPOINT ["/usr/local/bin/load-client"]
