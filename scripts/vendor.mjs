// Copies the libraries' exact files from node_modules (after `npm ci`) to web/static/vendor/, licences included.
// `node scripts/vendor.mjs` copies; with --check it compares and exits 1 where copy, lock and node_modules differ.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const vendor = join(root, "web", "static", "vendor");

const packages = {
  preact: { "dist/preact.mjs": "preact.mjs", "hooks/dist/hooks.mjs": "hooks.mjs" },
  htm: { "dist/htm.mjs": "htm.mjs", "preact/index.mjs": "htm-preact.mjs" },
  "@preact/signals-core": { "dist/signals-core.mjs": "signals-core.mjs" },
  "@preact/signals": { "dist/signals.mjs": "signals.mjs" },
  "hls.js": { "dist/hls.light.min.mjs": "hls.light.min.mjs" },
  "@fontsource/noto-sans-devanagari": {
    "files/noto-sans-devanagari-devanagari-400-normal.woff2": "devanagari-400.woff2",
    "files/noto-sans-devanagari-devanagari-600-normal.woff2": "devanagari-600.woff2",
  },
};

/** What web/static/vendor must hold: Map of relative path to bytes. */
function wanted() {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const files = new Map();
  const versions = {};
  for (const [name, copies] of Object.entries(packages)) {
    const locked = lock[`node_modules/${name}`];
    const installed = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
    if (!locked || locked.version !== installed.version) {
      throw new Error(`${name}: ${installed.version} is installed, the lock says ${locked?.version}: run npm ci`);
    }
    const folder = name.replace("@", "").replace("/", "-");
    versions[name] = { version: locked.version, license: locked.license, integrity: locked.integrity };
    for (const [source, target] of Object.entries({ ...copies, LICENSE: "LICENSE" })) {
      files.set(join(folder, target), readFileSync(join(modules, name, source)));
    }
  }
  files.set("versions.json", Buffer.from(JSON.stringify(versions, null, 2) + "\n"));
  return files;
}

function* existing(folder) {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* existing(path);
    else yield relative(vendor, path);
  }
}

const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");

function differences(files) {
  const found = [];
  for (const [path, bytes] of files) {
    const target = join(vendor, path);
    if (!existsSync(target)) found.push(`${path}: missing`);
    else if (digest(readFileSync(target)) !== digest(bytes)) found.push(`${path}: differs`);
  }
  for (const path of existing(vendor)) if (!files.has(path)) found.push(`${path}: not in the list`);
  return found;
}

const files = wanted();
if (process.argv.includes("--check")) {
  const found = differences(files);
  for (const line of found) console.error(`web/static/vendor/${line}`);
  if (found.length) process.exit(1);
  console.log(`web/static/vendor: ${files.size} files as locked`);
} else {
  rmSync(vendor, { recursive: true, force: true });
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(vendor, path)), { recursive: true });
    writeFileSync(join(vendor, path), bytes);
  }
  console.log(`web/static/vendor: ${files.size} files copied`);
}
