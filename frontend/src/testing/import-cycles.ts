import { posix } from "node:path";

/** File → files it imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

// Statements with `from`, side-effect imports and dynamic imports; type-only ones included.
const SPECIFIERS = [
  /^\s*(?:import|export)\b[^;"']*?\bfrom\s*["']([^"']+)["']/gm,
  /^\s*import\s*["']([^"']+)["']/gm,
  /\bimport\(\s*["']([^"']+)["']\s*\)/g,
];

/** Builds the import graph of `files`; `@/` is the root, imports of packages are ignored. */
export function buildImportGraph(files: ReadonlyMap<string, string>): ImportGraph {
  return new Map(
    [...files].map(([file, source]) => [
      file,
      readSpecifiers(source).flatMap((specifier) => resolveImport(file, specifier, files) ?? []),
    ]),
  );
}

/** Returns one import cycle as a path that starts and ends with the same file, or null. */
export function findImportCycle(graph: ImportGraph): string[] | null {
  const finished = new Set<string>();
  for (const file of graph.keys()) {
    const cycle = visit(file, [], graph, finished);
    if (cycle) return cycle;
  }
  return null;
}

function visit(
  file: string,
  path: string[],
  graph: ImportGraph,
  finished: Set<string>,
): string[] | null {
  if (finished.has(file)) return null;
  const start = path.indexOf(file);
  if (start >= 0) return [...path.slice(start), file];
  for (const imported of graph.get(file) ?? []) {
    const cycle = visit(imported, [...path, file], graph, finished);
    if (cycle) return cycle;
  }
  finished.add(file);
  return null;
}

function readSpecifiers(source: string): string[] {
  return SPECIFIERS.flatMap((pattern) =>
    [...source.matchAll(pattern)].map((match) => match[1] ?? ""),
  );
}

function resolveImport(
  importer: string,
  specifier: string,
  files: ReadonlyMap<string, string>,
): string | undefined {
  if (!/^(\.|@\/)/.test(specifier)) return undefined;
  const path = specifier.startsWith("@/")
    ? specifier.slice(2)
    : posix.join(posix.dirname(importer), specifier);
  return [path, `${path}.ts`, `${path}.tsx`].find((candidate) => files.has(candidate));
}
