import { expect, it, vi } from "vitest";

import { drawToastsWith, toast, type Note } from "./toast";

it("keeps what is said before anybody can draw it", () => {
  const seen: Note[] = [];
  toast.success("Saved");
  toast.error("Not saved");

  const end = drawToastsWith((note) => seen.push(note));
  toast.plain("Later");
  end();

  expect(seen.map((note) => [note.tone, note.text])).toEqual([
    ["success", "Saved"],
    ["error", "Not saved"],
    ["plain", "Later"],
  ]);
});

it("offers to take back what was done", () => {
  const undo = vi.fn();
  const seen: Note[] = [];
  const end = drawToastsWith((note) => seen.push(note));

  toast.undo("Deleted", undo);
  seen[0]?.action?.onClick();
  end();

  expect(seen[0]?.action?.label).toBe("Undo");
  expect(undo).toHaveBeenCalledOnce();
});
