import { describe, expect, it } from "vitest";

import { withName } from "./duplicate";
import { runReason, saveReason } from "./editor-header";
import { nameIn } from "./export";

describe("the header", () => {
  it("says why a workflow cannot be run or saved", () => {
    expect([
      runReason(false, 0),
      runReason(true, 0),
      runReason(true, 2),
      runReason(false, 1),
    ]).toEqual([null, "Save to run", "Mend 2 problems to run", "Mend 1 problem to run"]);
    expect([saveReason(false, 0), saveReason(true, 0), saveReason(true, 1)]).toEqual([
      "Nothing to save",
      null,
      "Mend 1 problem to save; the draft stays here",
    ]);
  });

  it("reads the name of a file", () => {
    expect(nameIn(`attachment; filename="a.yaml"; filename*=UTF-8''%C3%A4.yaml`)).toBe("ä.yaml");
    expect(nameIn('attachment; filename="a b.yaml"')).toBe("a b.yaml");
    expect(nameIn(null)).toBeUndefined();
  });

  it("gives a copy its own name, and keeps the rest", () => {
    expect(withName("# top\nname: Crew # its name\nagents: {}\n", "Crew copy")).toBe(
      "# top\nname: Crew copy # its name\nagents: {}\n",
    );
    expect(withName("agents: {}\n", "New")).toBe("name: New\nagents: {}\n");
    expect(withName("name: 'a: b'\n", "a: c")).toBe("name: 'a: c'\n");
  });
});
