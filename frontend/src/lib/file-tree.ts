/** A folder with its folders and files, each sorted by name. */
export interface Folder<Item> {
  name: string;
  /** Path from the root; empty for the root itself. */
  path: string;
  folders: Folder<Item>[];
  files: { name: string; path: string; item: Item }[];
}

/** Arranges items by the folders in their paths. */
export function buildFileTree<Item>(
  items: readonly Item[],
  pathOf: (item: Item) => string,
): Folder<Item> {
  const root: Folder<Item> = { name: "", path: "", folders: [], files: [] };
  const known = new Map([["", root]]);
  for (const item of items) {
    const path = pathOf(item);
    const parts = path.split("/");
    const name = parts.pop() ?? path;
    openFolder(known, root, parts).files.push({ name, path, item });
  }
  for (const folder of known.values()) {
    folder.folders.sort(byName);
    folder.files.sort(byName);
  }
  return root;
}

/** Returns the items in a folder and in the folders below it. */
export function listItems<Item>(folder: Folder<Item>): Item[] {
  return [...folder.folders.flatMap(listItems), ...folder.files.map(({ item }) => item)];
}

function openFolder<Item>(
  known: Map<string, Folder<Item>>,
  root: Folder<Item>,
  names: readonly string[],
): Folder<Item> {
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
