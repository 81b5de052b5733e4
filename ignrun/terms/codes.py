"""Owns the table of diagnostic codes: each stable code with its title and the page that explains it."""

from typing import Final

import msgspec


class CodeInfo(msgspec.Struct, frozen=True):
    """One code: `title` names the mistake in a few words, `explanation` says why it is one and what to do."""

    code: str
    title: str
    explanation: str


_TEXT: Final = (
    CodeInfo("IGN101", "file not found", "The file that was named does not exist. Check the path and the folder the command runs in."),
    CodeInfo("IGN102", "not a file", "A folder, a socket or a device stands where a text file was expected. Name a file."),
    CodeInfo("IGN103", "file not readable", "The file exists and may not be read. Check its rights and those of the folders above it."),
    CodeInfo("IGN104", "file too large", "A document may have 4 MiB. Split it, or keep data out of the manifest."),
    CodeInfo("IGN105", "not UTF-8", "Documents are UTF-8 text. Convert the file; the place is that of the first bad byte."),
    CodeInfo("IGN106", "control character", "NUL and other control characters have no meaning in YAML, and usually tell of a damaged file."),
    CodeInfo("IGN107", "outside the root", "What a manifest names must lie below its root: the nearest folder with `.git` or `pyproject.toml`, else the manifest's own folder."),
    CodeInfo("IGN110", "invalid YAML", "The text is not YAML at the place given. The usual reasons: wrong indentation, a tab, a text with `: ` or `${...}` inside brackets that lacks quotes."),
    CodeInfo("IGN111", "empty document", "The file holds no document. A truncated file would otherwise read as a plant without modules."),
    CodeInfo("IGN112", "more than one document", "One file holds one document. Write the second one into a file of its own."),
    CodeInfo("IGN113", "nested too deeply", "Lists and mappings may stand in each other 64 levels deep."),
    CodeInfo("IGN114", "too many nodes", "A document may have 1,000,000 keys and values, counted after every alias has been replaced by what it stands for."),
    CodeInfo("IGN115", "limit reached", "Reading, checking and planning have 2 s of processor time over what the size of the manifest justifies, and 256 MB. The place is what was being worked on."),
    CodeInfo("IGN120", "duplicate key", "A mapping names each key once. With two, one of them would silently win."),
    CodeInfo("IGN121", "key is not a text", "Keys are texts. Write a number, `true`, `false` or `null` in quotes when it is meant as a key."),
    CodeInfo("IGN122", "merge key", "`<<` is not part of YAML 1.2. A module takes over another one's block with `extends`."),
    CodeInfo("IGN123", "unknown tag", "Tags such as `!!python/object` or `!secret` have no meaning here. Remove the tag."),
    CodeInfo("IGN124", "unknown alias", "An alias `*name` repeats what `&name` marked earlier in the same file, and never what it stands in itself."),
    CodeInfo("IGN125", "number out of range", "Whole numbers have up to 64 bits, and floating-point numbers are finite. Write longer ones as text, in quotes."),
    CodeInfo("IGN130", "include matches nothing", "A pattern of `include` matches no file. It may be misspelt, or the folder is still empty: nothing is included."),
    CodeInfo("IGN131", "includes form a cycle", "A file includes itself, directly or through others. Remove one of the items; a file that two others include is read once."),
    CodeInfo("IGN132", "said in two files", "Two files of one manifest name the same module, variable, secret or alert, or set the same key. Neither is stronger, so one has to go; what is stronger than the manifest stands in an overlay."),
    CodeInfo("IGN133", "no such mode", "A mode is a file `modes/NAME.yaml` beside the manifest. There is none of that name."),
)  # fmt: skip

_SCHEMA: Final = (
    CodeInfo("IGN201", "wrong kind of document", "A file says with `apiVersion` and `kind` what it is. This one is of another kind than is read here."),
    CodeInfo("IGN202", "wrong type", "The value has another type than the key takes, e.g. a number where a text is expected. Quotes make a text of a scalar."),
    CodeInfo("IGN203", "missing key", "The block lacks a key that it cannot do without."),
    CodeInfo("IGN204", "unknown key", "Every block is closed, so that a misspelt key is an error instead of being ignored. Keys that begin with `x-` are free."),
    CodeInfo("IGN205", "value not allowed", "The key takes one of a few words only."),
    CodeInfo("IGN206", "malformed value", "The value does not have the form that the key takes, e.g. `30s` for a duration, `64MiB` for a size, `tcp:PORT` for a probe."),
    CodeInfo("IGN207", "not exactly one of several keys", "The block takes exactly one of the keys named: a module is a definition (`uses`), a class or function (`entry`), or a command."),
    CodeInfo("IGN208", "value out of bounds", "The number or the length lies outside what the key takes."),
    CodeInfo("IGN209", "malformed name", "Names of plants, modules and slots are made of lower-case letters, digits and `-`, begin with a letter and have up to 63 characters."),
    CodeInfo("IGN210", "invalid value", "The value breaks a rule of its schema that has no code of its own."),
    CodeInfo("IGN211", "repeated item", "The list names an item twice."),
    CodeInfo("IGN212", "key of another kind of module", "The key belongs to commands, or to modules with a definition, and would have no effect here."),
    CodeInfo("IGN213", "nothing to extend", "`extends` names a module of the manifest or a free block (`x-NAME:` with a mapping below it). There is none of that name."),
    CodeInfo("IGN214", "extends itself", "A block is merged over another one, which in the end is merged over the first."),
    CodeInfo("IGN215", "element makes no module", "`for_each` makes a module for each element, named `NAME-KEY`. That must be a name, and one that nobody has."),
    CodeInfo("IGN216", "module has not moved", "`moved` says that a module got another name: the new one is declared, the old one is not."),
    CodeInfo("IGN220", "wrong type in config", "The config schema of the module asks for another type."),
    CodeInfo("IGN221", "missing key in config", "The config schema of the module requires this key and nothing sets it."),
    CodeInfo("IGN222", "config value refused", "The config schema of the module does not allow this value."),
    CodeInfo("IGN223", "invalid config schema", "The config schema is not a JSON Schema (draft 2020-12), or one of its `x-ignrun-` words is misused."),
    CodeInfo("IGN224", "literal secret", "A property that the schema declares secret is written out. Use `${secret:NAME}` and keep the text out of files under version control."),
    CodeInfo("IGN225", "config class without schema", "The class has a `Config` and no schema was generated for it, so that mistakes in its config are found only when a host imports the class for an apply (which is then rejected before anything is touched). `ignrun generate schema` writes the schema beside the code."),
    CodeInfo("IGN293", "free key among modules", "Keys that begin with `x-` are free and run nothing, among modules as well. Give a module that should run another name."),
    CodeInfo("IGN292", "reserved", "The word is reserved for a later version of the language."),
)  # fmt: skip

_NAMES: Final = (
    CodeInfo("IGN301", "no such module", "`requires`, `wants`, `after`, `moved` or an overlay names a module that no document declares. A disabled module is declared."),
    CodeInfo("IGN302", "no such definition", "`uses` names a definition that neither the `sources` nor an installed package has."),
    CodeInfo("IGN304", "no such file", "`entry` names a Python module whose source lies neither beside the manifest nor in the `sources` nor in an installed package."),
    CodeInfo("IGN305", "no such class or function", "The source of `entry` was read and does not define that name."),
    CodeInfo("IGN306", "entry not usable", "The entry is neither a class nor an async function, or its source cannot be read as Python."),
    CodeInfo("IGN307", "command not found", "The first word of `command` is no program on the PATH that its children get, and no executable file."),
    CodeInfo("IGN308", "unknown reference", "`${...}` names something that does not exist. `$${` writes a literal `${`."),
    CodeInfo("IGN309", "no such slot", "The definition names no slot like the one that is bound."),
    CodeInfo("IGN310", "slot not bound", "A required slot is bound to nothing, and no module fits it by name or as the only one of its definition."),
    CodeInfo("IGN311", "slot takes one module", "Several modules are bound to a slot that takes one."),
    CodeInfo("IGN312", "scope not active", "An edge or a name asks for an instance in a scope that the module does not have or the runner does not activate."),
    CodeInfo("IGN313", "version does not fit", "The definition was found and no version of it satisfies the constraint."),
    CodeInfo("IGN314", "no such folder", "A folder that the manifest names does not exist."),
    CodeInfo("IGN315", "definition declared twice", "Two files define the same id in the same version."),
    CodeInfo("IGN316", "claimed twice", "Two modules claim one exclusive resource."),
    CodeInfo("IGN317", "unknown variable", "`${var:NAME}` names a variable that neither `vars` nor `--var` sets."),
    CodeInfo("IGN318", "ambiguous slot", "Nothing is bound to the slot and several modules could be. Bind one of them in `requires` or `wants`."),
    CodeInfo("IGN319", "provider does not fit", "The definition asks for a provider of another definition, or of another version, than the one that is bound."),
    CodeInfo("IGN330", "versions clash", "Of each definition one version is chosen for the whole plant, and no choice satisfies everybody. The notes show the chain: who asks for what, and which versions there are. Loosen a requirement, or add a version to `sources` or a catalog."),
    CodeInfo("IGN331", "lock disagrees", "`ignrun.lock` does not say what the manifest asks for, cannot be read, or is not there although `--locked` wants it. `ignrun lock` writes it anew; look at what changed before you commit it."),
    CodeInfo("IGN332", "hash differs", "A definition, its code, or a file that a catalog lists is not the one whose hash was written down: somebody changed it. Find out who before you write the hash anew."),
    CodeInfo("IGN333", "invalid catalog entry", "An index lists `definitions`, each with `id`, `version`, `path` (below the index: a wheel, an archive, a folder or a `module.yaml`) and `sha256`. Nothing is fetched from the network."),
)  # fmt: skip

_GRAPH: Final = (
    CodeInfo("IGN401", "cycle", "Modules wait for each other in a circle, so that none of them could start first. Remove one of the edges."),
    CodeInfo("IGN402", "module needs itself", "A module cannot wait for itself."),
    CodeInfo("IGN403", "provider not active", "A required module is disabled (a warning: its dependent starts without it), or the runner activates none of its scopes (an error)."),
    CodeInfo("IGN404", "condition cannot be met", "`completed` waits for the end of a oneshot or a main loop, `healthy` and `started` for something that keeps running."),
)  # fmt: skip

_OUTSIDE: Final = (
    CodeInfo("IGN501", "variable not set", "`${env:NAME}` has no value and no default. Set it, add it to an env file, or write `${env:NAME:-default}`."),
    CodeInfo("IGN502", "secret not set", "`${secret:NAME}` is not to be had from its source. Undeclared ones come from env files, the environment, the credentials folder or /run/secrets."),
    CodeInfo("IGN503", "secret where it would be shown", "Process lists show the arguments of commands to everybody, status shows exports. Hand the secret over in `env` or in the config file."),
    CodeInfo("IGN504", "env file not found", "An env file that is not optional does not exist or cannot be read."),
    CodeInfo("IGN505", "malformed env file", "A line of an env file cannot be parsed; everything after it would be lost."),
    CodeInfo("IGN506", "known at apply", "The value is unset now and asked for again when the plant is applied; `--strict-env` makes this an error."),
    CodeInfo("IGN507", "no such secret provider", "A secret comes from `env`, `file`, `exec`, `keyring` or `vault`, or from a provider that an installed package brings (entry points `ignrun.secret_providers`)."),
    CodeInfo("IGN508", "secret provider not usable", "The provider needs a package that is not installed (`pip install 'ignrun[keyring]'`, `'ignrun[vault]'`), or the package that brings it cannot be loaded. A warning until an apply needs the secret."),
    CodeInfo("IGN509", "damaged run-time values", "A file of `config/` in the state folder, which `ignrun config set` writes, cannot be read. The newest backup is used in its stead, with a warning; without one nothing can be applied. `ignrun config rollback MODULE` goes back to that backup for good."),
    CodeInfo("IGN510", "edit hidden by a run-time value", "`ignrun config set` has given a value that lies over what was edited, so that the edit has no effect. Unset the run-time value, or set it anew. `apply.runtime_config: allow | warn | deny` says whether this is nothing, a warning or an error."),
)  # fmt: skip

_PLAN: Final = (
    CodeInfo("IGN601", "value never changes", "The config schema says `x-ignrun-update: never` of this value: the module cannot take another one while it is the same instance. Change it back, or allow with `--allow-replace NAME` that the instance is replaced by a new one in a process of its own."),
    CodeInfo("IGN602", "stale plan", "A plan that was written down holds for the generation and the inputs that it was made from. Something was applied since, or a file changed: what would happen now is not what was looked at."),
    CodeInfo("IGN603", "mass deletion", "The plan deletes everything, or more than half of what runs. Usually a file was truncated, an include or a mode is missing. `--allow-mass-delete` says that it is meant."),
    CodeInfo("IGN604", "still required", "What would be deleted is required by an instance that stays as it is. Delete or change that one, too."),
    CodeInfo("IGN605", "rules not usable", "The file of rules that `ignrun policy` was given is no Python, raises while it is loaded, or holds no function named `deny_..` or `warn_..`. A plan that cannot be judged counts as refused."),
)  # fmt: skip

CODES: Final[dict[str, CodeInfo]] = {one.code: one for one in (*_TEXT, *_SCHEMA, *_NAMES, *_GRAPH, *_OUTSIDE, *_PLAN)}
"""Every code that a diagnostic may carry; 1xx text, 2xx shape and config, 3xx names, 4xx graph, 5xx environment and secrets, 6xx the plan."""

VERSIONS: Final = frozenset({"IGN313", "IGN330", "IGN331", "IGN332"})
"""The codes that say that versions cannot be resolved: a command that fails of nothing else ends with 4."""

STALE: Final = "IGN602"
"""The code that says that a plan is stale: a command that fails of nothing else ends with 8."""
