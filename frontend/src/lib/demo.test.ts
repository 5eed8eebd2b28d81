import { describe, expect, it } from "vitest";

import type { About, Model } from "./api/types";
import { demoAvailability } from "./demo";

const about = (state: string, message = "") => ({ localModel: { state, message } }) as About;
const local = [{ providerType: "local" }] as Model[];

describe("demoAvailability", () => {
  it.each(["ready", "starting"])("is available while the local model is %s", (state) => {
    expect(demoAvailability(about(state), []).available).toBe(true);
  });

  it.each(["missing", "failed"])("is unavailable while the local model is %s", (state) => {
    expect(demoAvailability(about(state, "Why."), local)).toEqual({
      available: false,
      message: "Why.",
    });
  });

  it("is available when the model starts on first use, and unavailable when it is off", () => {
    expect(demoAvailability(about("off", "Starts when it is first used."), local).available).toBe(
      true,
    );
    expect(demoAvailability(about("off", "Starts when it is first used."), []).available).toBe(
      false,
    );
    expect(demoAvailability(about("off", "Switched off (LOCAL_MODEL=off)."), local).available).toBe(
      false,
    );
  });
});
