// Fails when a page would download more than its budget. Sizes are gzip -9, in kB of 1,000 bytes.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const manifest = JSON.parse(readFileSync("dist/.vite/manifest.json", "utf8"));
const ENTRY = "index.html";
const INITIAL_JS = 140;
const INITIAL_CSS = 14;
const FONT = 50;
/** Extra JavaScript of each page beyond the initial download. */
const ROUTES = {
  "src/features/dashboard/dashboard-page.tsx": 20,
  "src/features/workflows/workflows-page.tsx": 25,
  "src/features/workflows/new-workflow-page.tsx": 45,
  "src/features/editor/editor-page.tsx": 200,
  "src/features/launch/launch-page.tsx": 45,
  "src/features/launch/project-launch-page.tsx": 45,
  "src/features/projects/projects-page.tsx": 25,
  "src/features/projects/project-page.tsx": 45,
  "src/features/runs/runs-page.tsx": 26,
  "src/features/runs/compare-page.tsx": 45,
  "src/features/run/run-page.tsx": 56,
  "src/features/models/models-page.tsx": 45,
  "src/features/tools/tools-page.tsx": 35,
  "src/features/mcp/mcp-servers-page.tsx": 25,
  "src/features/mcp/mcp-server-page.tsx": 36,
  "src/features/settings/settings-page.tsx": 45,
  "src/features/auth/sign-in-page.tsx": 45,
};

const initial = closure(ENTRY);
const rows = [
  ["initial JavaScript", size(initial), INITIAL_JS],
  ["initial styles", styles(initial), INITIAL_CSS],
];
const font = Object.values(manifest).find((chunk) => /inter-latin-wght-normal/.test(chunk.file));
rows.push(["font before first paint", font ? bytes(font.file, false) : 0, FONT]);
for (const [page, budget] of Object.entries(ROUTES)) {
  if (!manifest[page]) throw new Error(`${page} is not in the build manifest`);
  rows.push([page.split("/").at(-1), size(difference(closure(page), initial)), budget]);
}

let failed = 0;
for (const [name, kilobytes, budget] of rows) {
  const isOver = kilobytes > budget;
  failed += Number(isOver);
  console.log(
    `${isOver ? "OVER" : "  ok"}  ${kilobytes.toFixed(1).padStart(6)} of ${String(budget).padStart(3)} kB  ${name}`,
  );
}
console.log(`bundle: ${rows.length - failed} within budget, ${failed} over`);
process.exitCode = failed ? 1 : 0;

/** All files that a chunk needs before it can run. */
function closure(name, seen = new Set()) {
  if (!seen.has(name)) {
    seen.add(name);
    for (const needed of manifest[name].imports ?? []) closure(needed, seen);
  }
  return seen;
}

function difference(names, known) {
  return new Set([...names].filter((name) => !known.has(name)));
}

function size(names) {
  return [...names].reduce((sum, name) => sum + bytes(manifest[name].file, true), 0);
}

function styles(names) {
  const files = new Set([...names].flatMap((name) => manifest[name].css ?? []));
  return [...files].reduce((sum, file) => sum + bytes(file, true), 0);
}

function bytes(file, compressed) {
  const content = readFileSync(`dist/${file}`);
  return (compressed ? gzipSync(content, { level: 9 }).length : content.length) / 1000;
}
