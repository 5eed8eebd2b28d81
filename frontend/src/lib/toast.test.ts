import { expect, it, vi } from "vitest";

import { setToastRenderer, toast, type ToastMessage } from "./toast";

it("keeps what is said before anybody can draw it", () => {
  const seen: ToastMessage[] = [];
  toast.success("Saved");
  toast.error("Not saved");

  const end = setToastRenderer((note) => seen.push(note));
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
  const seen: ToastMessage[] = [];
  const end = setToastRenderer((note) => seen.push(note));

  toast.undo("Deleted", undo);
  seen[0]?.action?.onClick();
  end();

  expect(seen[0]?.action?.label).toBe("Undo");
  expect(undo).toHaveBeenCalledOnce();
});
