import { describe, expect, it } from "vitest";

import type { About, Model } from "./api/types";
import { demoChance } from "./demo";

const about = (state: string, message = "") => ({ localModel: { state, message } }) as About;
const local = [{ providerType: "local" }] as Model[];

describe("demoChance", () => {
  it.each(["ready", "starting"])("is there while the model is %s", (state) => {
    expect(demoChance(about(state), []).possible).toBe(true);
  });

  it.each(["missing", "failed"])("is not there while it is %s", (state) => {
    expect(demoChance(about(state, "Why."), local)).toEqual({ possible: false, message: "Why." });
  });

  it("is there when the model starts at first use, and not when it is switched off", () => {
    expect(demoChance(about("off", "Starts when it is first used."), local).possible).toBe(true);
    expect(demoChance(about("off", "Starts when it is first used."), []).possible).toBe(false);
    expect(demoChance(about("off", "Switched off (LOCAL_MODEL=off)."), local).possible).toBe(false);
  });
});
