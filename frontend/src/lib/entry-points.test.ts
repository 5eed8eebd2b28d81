// @vitest-environment node
import { describe, expect, it } from "vitest";

import type { EntryPoint } from "@/lib/api/types";

import { describeEntryPoint, entryPointKey } from "./entry-points";

const flow = { kind: "flow", path: "src/main.py", name: "News", title: "" } as EntryPoint;

describe("entry points", () => {
  it("are described by kind, name and file", () => {
    expect(describeEntryPoint(flow)).toBe("Flow News in src/main.py");
    expect(describeEntryPoint({ ...flow, kind: "script", name: null })).toBe(
      "Script in src/main.py",
    );
  });

  it("use their title, and do not repeat the file", () => {
    expect(describeEntryPoint({ ...flow, title: "Run src/main.py" })).toBe("Run src/main.py");
  });

  it("are equal when kind, file and name are", () => {
    expect(entryPointKey(flow)).toBe(entryPointKey({ ...flow, title: "Other" }));
    expect(entryPointKey(flow)).not.toBe(entryPointKey({ ...flow, name: "Old" }));
  });
});
