"""Owns the room list: every wing and every room of `ignrun`, with what it is for."""

WINGS: dict[str, str] = {
    "terms": "the words: names, spans, diagnostics, verdict, fault, failure, states, events, secret, duration, clock",
    "protocol": "what runner and host say to each other",
    "sdk": "what a module author writes against",
    "host": "inside a host process",
    "manifest": "text -> values, unmerged",
    "planner": "inputs -> proposal",
    "runtime": "the parts of a runner",
    "render": "values -> text and public JSON",
    "control": "the HTTP door",
    "interop": "one file per dialect",
    "author": "templates, code and docs generation",
    "runner": "the only place where concrete classes meet",
    "cli": "one file per verb",
    "examples": "the example modules of manifests/",
    "testing": "the public test kit",
}

INNER_ROOMS: dict[str, dict[str, str]] = {
    "planner": {
        "catalog": "finds definitions, reads class traits from source, selects versions",
        "config": "settles each instance's values",
        "graph": "instances, edges, cycles, placement",
        "plan": "running graph and desired graph -> plan",
        "reader": "the corridor, in a child with time and memory limits",
    },
    "runtime": {
        "supervise": "roster, order, readiness, health, back-off: pure decisions",
        "apply": "transaction, gate, undo: pure decisions",
        "journal": "the embedded store",
        "engines": "brings up hosts and commands",
        "watch": "folders -> one settled input set",
        "observe": "log files, series, alerts, report",
    },
}

# May import, directly or through others, what module authors write against.
NEAR_MODULE_CODE = frozenset({"host", "sdk", "examples", "testing"})
