import { expect, it } from "vitest";

import { replaceName } from "./duplicate-workflow";

it.each([
  [
    "keeps comments",
    "# top\nname: Crew # its name\nagents: {}\n",
    "Crew copy",
    "# top\nname: Crew copy # its name\nagents: {}\n",
  ],
  ["adds a missing name", "agents: {}\n", "New", "name: New\nagents: {}\n"],
  ["keeps quotes", "name: 'a: b'\n", "a: c", "name: 'a: c'\n"],
])("replaceName %s", (_, before, name, after) => {
  expect(replaceName(before, name)).toBe(after);
});
