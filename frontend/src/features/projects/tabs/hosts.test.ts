// @vitest-environment node
import { describe, expect, it } from "vitest";

import { describeHostProblems, parseHosts } from "./hosts";

describe("hosts", () => {
  it("are read from lines and commas, once each", () => {
    expect(parseHosts(" a.com \n\nb.com, a.com\r\n")).toEqual(["a.com", "b.com"]);
    expect(parseHosts(" \n")).toEqual([]);
  });

  it("are named in the messages of a rejected list", () => {
    const fields = [
      { pointer: "/project/allowedHosts/1", detail: "Not a host." },
      { pointer: "/project", detail: "Too many." },
    ];
    expect(describeHostProblems(["a.com", "http://b"], fields)).toEqual([
      "http://b: Not a host.",
      "Too many.",
    ]);
  });
});
