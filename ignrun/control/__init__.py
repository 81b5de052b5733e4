"""The HTTP door of a runner: wire, routes, streams and the client."""
