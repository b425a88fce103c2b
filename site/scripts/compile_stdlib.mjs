// Compile the part of Python's standard library that the live figures import, once, in the build.
//
// Usage: node site/scripts/compile_stdlib.mjs PYODIDE_FOLDER OUTPUT.zip [MODULE ...]
//
// Pyodide's python_stdlib.zip holds sources, and a browser would compile some 150 of them at every
// start: most of the time until a figure is ready. The same Python compiles here what it has
// imported when it is up, and the modules named; the rest stays as it is, which is smaller.

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, output] = process.argv.slice(2, 4).map((path) => resolve(path));
const modules = process.argv.slice(4);
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")).href);
const python = await loadPyodide({ indexURL: folder, env: { PYTHONHASHSEED: "0", HOME: "/home/pyodide" } });
python.FS.writeFile("/in.zip", new Uint8Array(readFileSync(join(folder, "python_stdlib.zip"))));
python.runPython(`
import _imp, importlib, sys, zipfile
for name in ${JSON.stringify(modules)}:
    try:
        importlib.import_module(name)
    except ImportError:  # not in a browser, or an attribute of a module
        pass
wanted = {getattr(module, "__file__", None) for module in sys.modules.values()}
from importlib._bootstrap_external import _code_to_hash_pyc

with zipfile.ZipFile("/in.zip") as given, zipfile.ZipFile("/out.zip", "w") as made:
    for name in sorted(given.namelist()):
        if name.endswith("/"):
            continue
        content = given.read(name)
        if "/lib/python314.zip/" + name in wanted:
            code = compile(content, "/lib/python314.zip/" + name, "exec", dont_inherit=True, optimize=0)
            # unchecked: valid without the source beside it
            content = bytes(_code_to_hash_pyc(code, _imp.source_hash(0, content), False))
            name += "c"
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o644 << 16
        made.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
`);
writeFileSync(output, python.FS.readFile("/out.zip"));
