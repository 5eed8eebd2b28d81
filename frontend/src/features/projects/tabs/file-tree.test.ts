// @vitest-environment node
import { array, assert, property, stringMatching, uniqueArray } from "fast-check";
import { describe, expect, it } from "vitest";

import { buildFileTree, type Folder } from "./file-tree";

const file = (path: string) => ({ path, size: 1, sha256: "" });

function listPaths(folder: Folder): string[] {
  return [...folder.folders.flatMap(listPaths), ...folder.files.map(({ path }) => path)];
}

describe("buildFileTree", () => {
  it("arranges files by folder, sorted by name", () => {
    const tree = buildFileTree(["src/news/main.py", "README.md", "src/a.py"].map(file));
    expect(tree.files.map(({ name }) => name)).toEqual(["README.md"]);
    expect(tree.folders).toMatchObject([
      {
        name: "src",
        files: [{ name: "a.py", path: "src/a.py" }],
        folders: [{ name: "news", path: "src/news", files: [{ name: "main.py" }] }],
      },
    ]);
  });

  it("has each file once, in the folder of its path", () => {
    const name = stringMatching(/^[a-c]{1,2}$/);
    const path = array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    assert(
      property(uniqueArray(path), (paths) => {
        const tree = buildFileTree(paths.map(file));
        expect(listPaths(tree).toSorted()).toEqual(paths.toSorted());
      }),
    );
  });
});
