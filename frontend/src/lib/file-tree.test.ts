// @vitest-environment node
import { array, assert, property, stringMatching, uniqueArray } from "fast-check";
import { describe, expect, it } from "vitest";

import { buildFileTree, listItems } from "./file-tree";

const itself = (path: string) => path;

describe("buildFileTree", () => {
  it("arranges files by folder, sorted by name", () => {
    const tree = buildFileTree(["src/news/main.py", "README.md", "src/a.py"], itself);
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
        const tree = buildFileTree(paths, itself);
        expect(listItems(tree).toSorted()).toEqual(paths.toSorted());
      }),
    );
  });
});
