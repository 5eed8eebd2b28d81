import type { ProjectFile } from "@/lib/api/types";

/** A folder with its folders and files, each sorted by name. */
export interface Folder {
  name: string;
  /** Path from the root of the project; empty for the root. */
  path: string;
  folders: Folder[];
  files: { name: string; path: string; size: number }[];
}

/** Arranges files by folder. */
export function buildFileTree(files: readonly ProjectFile[]): Folder {
  const root: Folder = { name: "", path: "", folders: [], files: [] };
  const known = new Map([["", root]]);
  for (const { path, size } of files) {
    const parts = path.split("/");
    const name = parts.pop() ?? path;
    openFolder(known, root, parts).files.push({ name, path, size });
  }
  for (const folder of known.values()) {
    folder.folders.sort(byName);
    folder.files.sort(byName);
  }
  return root;
}

function openFolder(known: Map<string, Folder>, root: Folder, names: readonly string[]): Folder {
  let current = root;
  for (const name of names) {
    const path = current.path ? `${current.path}/${name}` : name;
    let next = known.get(path);
    if (!next) {
      next = { name, path, folders: [], files: [] };
      known.set(path, next);
      current.folders.push(next);
    }
    current = next;
  }
  return current;
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name.localeCompare(b.name, "en");
}
