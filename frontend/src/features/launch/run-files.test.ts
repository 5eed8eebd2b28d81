import { describe, expect, it } from "vitest";

import type { WorkflowDefinition } from "@/lib/api/types";

import { addFiles, createStartForm, usesFiles } from "./run-files";

const file = (name: string, content = "x") => new File([content], name);

const definition = (agentTools: string[], taskTools: string[]) =>
  ({
    agents: [{ tools: agentTools }],
    tasks: [{ tools: taskTools }],
  }) as unknown as WorkflowDefinition;

describe("usesFiles", () => {
  it("is decided by the tools of agents and tasks", () => {
    expect(usesFiles(definition([], []))).toBe(false);
    expect(usesFiles(definition(["calculator"], []))).toBe(false);
    expect(usesFiles(definition(["read_pdf"], []))).toBe(true);
    expect(usesFiles(definition([], ["write_file"]))).toBe(true);
  });
});

describe("addFiles", () => {
  it("replaces a file with the same name", () => {
    const [old, other, fresh] = [file("a.txt"), file("b.txt"), file("a.txt", "new")];

    expect(addFiles([old, other], [fresh])).toEqual({ files: [other, fresh] });
  });

  it("says what is too much", () => {
    const many = Array.from({ length: 21 }, (_, index) => file(`${index}.txt`));
    const large = new File([new Uint8Array(11 * 1024 * 1024)], "large.bin");

    expect(addFiles([], many)).toEqual({ problem: "Attach at most 20 files." });
    expect(addFiles([], [large])).toEqual({ problem: "large.bin is larger than 10.5 MB." });
  });
});

describe("createStartForm", () => {
  it("sends the request as JSON and each file with its name", () => {
    const form = createStartForm({ workflowId: "wf_1" }, [file("a.txt")]);

    expect(form.get("run")).toBe('{"workflowId":"wf_1"}');
    expect((form.get("files") as File).name).toBe("a.txt");
  });
});
