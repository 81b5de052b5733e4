"""Owns LanguageServer, a real YAML language server spoken to over stdio, as an editor does."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any

Message = dict[str, Any]

SETTINGS = {
    "yaml": {
        "validate": True,
        "hover": True,
        "completion": True,
        "schemaStore": {"enable": False, "url": ""},
        "kubernetesCRDStore": {"enable": False},
        "schemas": {},
    },
    "http": {"proxy": "", "proxyStrictSSL": True},
    "[yaml]": {"editor.tabSize": 2},
}


class LanguageServer:
    """One server process; answers are waited for, what it asks for is answered, diagnostics are kept."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self._seconds = seconds
        self._next = 0
        self._inbox: Queue[Message] = Queue()
        self._told: dict[str, list[Message]] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    # --- frames -------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        with suppress(ValueError, OSError):  # the server was ended while it was listened to
            while (message := self._receive()) is not None:
                self._inbox.put(message)

    def _receive(self) -> Message | None:
        length = 0
        while line := self._out.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not length:
            return None
        message: Message = json.loads(self._out.read(length))
        return message

    def _send(self, message: Message) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._in.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._in.flush()

    # --- talk ---------------------------------------------------------------------------------------------------------

    def notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        self._next += 1
        number = self._next
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._heard()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message["error"]
                return message.get("result")

    def _heard(self) -> Message:
        """Take the next message; what the server asks for is answered on the way."""
        try:
            message = self._inbox.get(timeout=self._seconds)
        except Empty:
            raise AssertionError(f"the language server said nothing for {self._seconds} s") from None
        if "method" in message and "id" in message:
            self._send({"id": message["id"], "result": self._answer(message)})
        elif message.get("method") == "textDocument/publishDiagnostics":
            self._told[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message

    def _answer(self, message: Message) -> Any:
        if message["method"] == "workspace/configuration":
            return [SETTINGS.get(item.get("section", "")) for item in message["params"]["items"]]
        return None

    # --- what an editor does ------------------------------------------------------------------------------------------

    def begin(self, folder: Path) -> None:
        capabilities = {
            "textDocument": {
                "completion": {"completionItem": {"snippetSupport": False, "documentationFormat": ["plaintext"]}},
                "hover": {"contentFormat": ["plaintext"]},
            },
            "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
        }
        where = {"processId": os.getpid(), "rootUri": folder.as_uri(), "workspaceFolders": None}
        self.ask("initialize", {**where, "capabilities": capabilities})
        self.notify("initialized", {})
        self.notify("workspace/didChangeConfiguration", {"settings": SETTINGS})

    def open(self, file: Path, text: str) -> str:
        """Show a text to the server, each time as a new file beside `file`: it keeps what it thinks of one that it knows."""
        self._next += 1
        uri = file.with_name(f"{self._next}-{file.name}").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def close(self, uri: str) -> None:
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def mistakes(self, file: Path, text: str) -> list[str]:
        """Open a text and give what the server finds wrong with it, each with its line from 1."""
        uri = self.open(file, text)
        while uri not in self._told:
            self._heard()
        self.close(uri)
        return [f"{one['range']['start']['line'] + 1}: {one['message']}" for one in self._told[uri]]

    def completion(self, file: Path, text: str) -> dict[str, str]:
        """Complete at the `|` in a text: what is offered, with its documentation."""
        uri, position = self._at_bar(file, text)
        found = self.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
        self.close(uri)
        items = found["items"] if isinstance(found, dict) else found or []
        return {item["label"]: _plain(item.get("documentation", "")) for item in items}

    def hover(self, file: Path, text: str) -> str:
        """Point at the `|` in a text, and give what is shown."""
        uri, position = self._at_bar(file, text)
        found = self.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": position})
        self.close(uri)
        return _plain(found["contents"]) if found else ""

    def _at_bar(self, file: Path, text: str) -> tuple[str, dict[str, int]]:
        before, _, after = text.partition("|")
        uri = self.open(file, before + after)
        return uri, {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}


def _plain(contents: Any) -> str:
    return str(contents["value"]) if isinstance(contents, dict) else str(contents)


@contextmanager
def language_server(modules: Path, folder: Path) -> Iterator[LanguageServer]:
    """Start a server that works in `folder`; it is gone when this is left."""
    program = modules / "yaml-language-server" / "bin" / "yaml-language-server"
    command = ["node", str(program), "--stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            server = LanguageServer(process)
            server.begin(folder)
            yield server
        finally:
            process.kill()
