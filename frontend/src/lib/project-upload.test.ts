// @vitest-environment node
import { describe, expect, it } from "vitest";

import { createUpload } from "./project-upload";

const MIB = 1024 * 1024;
const source = (path: string, size = 1) => {
  const file = new File(["x"], path.split("/").at(-1) ?? path);
  return { path, file: Object.defineProperty(file, "size", { value: size }) };
};

describe("createUpload", () => {
  it("sends one zip as it is", () => {
    const zip = source("Crew.ZIP");
    expect(createUpload([zip])).toEqual({ body: zip.file });
  });

  it("sends the files of a folder with their paths, without what tools create", () => {
    const paths = ["crew/main.py", "crew/.git/config", "crew/.venv/lib/a.py", "crew/src/a.py"];
    const upload = createUpload(paths.map((path) => source(path)));
    const form = "body" in upload && upload.body instanceof FormData ? upload.body : new FormData();
    const names = form.getAll("files").map((file) => (file as File).name);
    expect(names).toEqual(["crew/main.py", "crew/src/a.py"]);
  });

  it.each([
    [[], /Choose the zip or the folder/],
    [[source("a.zip"), source("b.zip")], /one zip/],
    [[source("main.py")], /main\.py is not a zip/],
    [[source("a.zip", 0)], /empty/],
    [[source("a.zip", 64 * MIB + 1)], /larger than 64 MiB/],
    [[source("crew/a", 40 * MIB), source("crew/b", 40 * MIB)], /crew is larger than 64 MiB/],
    [
      Array.from({ length: 5_001 }, (_, n) => source(`crew/${n}`)),
      /crew has more than 5,000 files/,
    ],
  ])("explains why files are not accepted (%#)", (files, problem) => {
    expect(createUpload(files)).toEqual({ problem: expect.stringMatching(problem) as string });
  });
});
