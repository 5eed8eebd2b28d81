// @vitest-environment node
import { expect, it, vi } from "vitest";

import { setToastRenderer, toast, type ToastMessage } from "./toast";

it("queues messages until there is a renderer", () => {
  const seen: ToastMessage[] = [];
  toast.success("Saved");
  toast.error("Not saved");

  const unset = setToastRenderer((message) => seen.push(message));
  toast.plain("Later");
  unset();

  expect(seen.map((message) => [message.tone, message.text])).toEqual([
    ["success", "Saved"],
    ["error", "Not saved"],
    ["plain", "Later"],
  ]);
});

it("offers an undo action", () => {
  const undo = vi.fn();
  const seen: ToastMessage[] = [];
  const unset = setToastRenderer((message) => seen.push(message));

  toast.undo("Deleted", undo);
  seen[0]?.action?.onClick();
  unset();

  expect(seen[0]?.action?.label).toBe("Undo");
  expect(undo).toHaveBeenCalledOnce();
});
