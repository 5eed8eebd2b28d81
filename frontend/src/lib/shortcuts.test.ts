import { afterEach, describe, expect, it, vi } from "vitest";

import { setPreference } from "./preferences";
import { getActiveShortcuts, addShortcut } from "./shortcuts";

const ends: (() => void)[] = [];

function shortcut(keys: string) {
  const run = vi.fn();
  ends.push(addShortcut({ keys, group: "Test", run }));
  return run;
}

function press(key: string, init: KeyboardEventInit = {}, target: EventTarget = document.body) {
  target.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }),
  );
}

function put(html: string): Element {
  const holder = document.createElement("div");
  holder.append(document.createRange().createContextualFragment(html));
  document.body.append(holder);
  ends.push(() => holder.remove());
  return holder.firstElementChild as Element;
}

afterEach(() => {
  for (const end of ends.splice(0)) end();
  setPreference("shortcuts", true);
  expect(getActiveShortcuts()).toEqual([]);
});

describe("a shortcut", () => {
  it("runs at its key", () => {
    const run = shortcut("e");

    press("e");
    press("x");

    expect(run).toHaveBeenCalledOnce();
  });

  it("may be two keys, one after the other", () => {
    const [runs, dashboard, e] = [shortcut("g r"), shortcut("g d"), shortcut("r")];

    press("g");
    press("r");
    press("r");

    expect(runs).toHaveBeenCalledOnce();
    expect(dashboard).not.toHaveBeenCalled();
    expect(e).toHaveBeenCalledOnce();
  });

  it("forgets the first key after a while", () => {
    const run = shortcut("g r");
    const stamp = vi.spyOn(Event.prototype, "timeStamp", "get");

    stamp.mockReturnValue(1_000);
    press("g");
    stamp.mockReturnValue(3_000);
    press("r");

    expect(run).not.toHaveBeenCalled();
  });

  it("begins anew when the second key fits nothing but begins a pair itself", () => {
    const run = shortcut("g r");

    press("g");
    press("g");
    press("r");

    expect(run).toHaveBeenCalledOnce();
  });

  it("gives way to a later one with the same key", () => {
    const [page, dialog] = [shortcut("e"), shortcut("e")];

    press("e");

    expect(page).not.toHaveBeenCalled();
    expect(dialog).toHaveBeenCalledOnce();
  });

  it.each([{ ctrlKey: true }, { metaKey: true }, { altKey: true }])(
    "leaves %j to the browser",
    (modifier) => {
      const run = shortcut("e");

      press("e", modifier);

      expect(run).not.toHaveBeenCalled();
    },
  );

  it("is off when the person has turned shortcuts off", () => {
    const run = shortcut("e");
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
  ])("is off while somebody types in %s", (html) => {
    const run = shortcut("e");

    press("e", {}, put(html));

    expect(run).not.toHaveBeenCalled();
  });

  it("works on a box to tick", () => {
    const run = shortcut("e");

    press("e", {}, put('<input type="checkbox">'));

    expect(run).toHaveBeenCalledOnce();
  });

  it("is off behind a dialog", () => {
    const run = shortcut("e");
    put('<div role="dialog" data-state="open"></div>');

    press("e");

    expect(run).not.toHaveBeenCalled();
  });
});
