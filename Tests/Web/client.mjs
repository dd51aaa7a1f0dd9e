// The client's modules, importable from any Node since 18: there a .js file is a module only beside a package.json
// that says so, and the served folder has none.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const served = fileURLToPath(new URL("../../Sources/Api/Web", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "web-client-"));
cpSync(served, folder, { recursive: true });
writeFileSync(join(folder, "package.json"), '{"type": "module"}');
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Imports one module of the client, such as "grid". */
export const load = (noun) => import(pathToFileURL(join(folder, `${noun}.js`)).href);
