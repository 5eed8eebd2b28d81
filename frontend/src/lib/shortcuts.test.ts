import { afterEach, describe, expect, it, vi } from "vitest";

import { setPreference } from "./preferences";
import { addShortcut, shortcutStore } from "./shortcuts";

const cleanups: (() => void)[] = [];

function mockShortcut(keys: string) {
  const run = vi.fn();
  cleanups.push(addShortcut({ keys, group: "Test", run }));
  return run;
}

function press(key: string, init: KeyboardEventInit = {}, target: EventTarget = document.body) {
  target.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }),
  );
}

function appendHtml(html: string): Element {
  const container = document.createElement("div");
  container.append(document.createRange().createContextualFragment(html));
  document.body.append(container);
  cleanups.push(() => container.remove());
  return container.firstElementChild as Element;
}

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  setPreference("shortcuts", true);
  expect(shortcutStore.getState()).toEqual([]);
});

describe("addShortcut", () => {
  it("runs when its key is pressed", () => {
    const run = mockShortcut("e");

    press("e");
    press("x");

    expect(run).toHaveBeenCalledOnce();
  });

  it("supports a sequence of two keys", () => {
    const [runs, dashboard, e] = [mockShortcut("g r"), mockShortcut("g d"), mockShortcut("r")];

    press("g");
    press("r");
    press("r");

    expect(runs).toHaveBeenCalledOnce();
    expect(dashboard).not.toHaveBeenCalled();
    expect(e).toHaveBeenCalledOnce();
  });

  it("discards the first key of a sequence after a timeout", () => {
    const run = mockShortcut("g r");
    const stamp = vi.spyOn(Event.prototype, "timeStamp", "get");

    stamp.mockReturnValue(1_000);
    press("g");
    stamp.mockReturnValue(3_000);
    press("r");

    expect(run).not.toHaveBeenCalled();
  });

  it("restarts a sequence when the second key does not complete it", () => {
    const run = mockShortcut("g r");

    press("g");
    press("g");
    press("r");

    expect(run).toHaveBeenCalledOnce();
  });

  it("prefers the latest of two shortcuts with the same key", () => {
    const [page, dialog] = [mockShortcut("e"), mockShortcut("e")];

    press("e");

    expect(page).not.toHaveBeenCalled();
    expect(dialog).toHaveBeenCalledOnce();
  });

  it.each([{ ctrlKey: true }, { metaKey: true }, { altKey: true }])(
    "ignores a key with %j",
    (modifier) => {
      const run = mockShortcut("e");

      press("e", modifier);

      expect(run).not.toHaveBeenCalled();
    },
  );

  it("is inactive when the user has turned shortcuts off", () => {
    const run = mockShortcut("e");
    setPreference("shortcuts", false);

    press("e");

    expect(run).not.toHaveBeenCalled();
  });

  it.each([
    "<input>",
    "<textarea></textarea>",
    "<select></select>",
    '<div contenteditable="true"></div>',
    '<div role="menu" tabindex="0"></div>',
    '<div role="textbox" tabindex="0"></div>',
  ])("is inactive while the focus is in %s", (html) => {
    const run = mockShortcut("e");

    press("e", {}, appendHtml(html));

    expect(run).not.toHaveBeenCalled();
  });

  it("works while the focus is on a checkbox", () => {
    const run = mockShortcut("e");

    press("e", {}, appendHtml('<input type="checkbox">'));

    expect(run).toHaveBeenCalledOnce();
  });

  it("is inactive while a dialog is open", () => {
    const run = mockShortcut("e");
    appendHtml('<div role="dialog" data-state="open"></div>');

    press("e");

    expect(run).not.toHaveBeenCalled();
  });
});
