// @vitest-environment node
import { describe, expect, it } from "vitest";

import { usageOf } from "../testing/event-fixtures";

import { addDecimals, addUsage, NO_USAGE } from "./add-usage";

describe("addDecimals", () => {
  it("adds without losing digits", () => {
    expect(addDecimals("0.1", "0.2")).toBe("0.3");
    expect(addDecimals("9.99", "0.01")).toBe("10");
    expect(addDecimals("12345678901234567890.000000001", "1")).toBe(
      "12345678901234567891.000000001",
    );
    expect(addDecimals("1E-7", "0.0000002")).toBe("0.0000003");
    expect(addDecimals("2", "3")).toBe("5");
  });
});

describe("addUsage", () => {
  it("keeps what is known and counts the calls that are not", () => {
    const unknown = {
      ...usageOf(1),
      completionTokens: null,
      totalTokens: null,
      callsWithoutUsage: 1,
    };
    expect(addUsage(usageOf(2), unknown)).toMatchObject({
      promptTokens: 3,
      completionTokens: 2,
      totalTokens: 4,
      callsWithoutUsage: 1,
    });
    expect(addUsage(NO_USAGE, unknown).totalTokens).toBeNull();
  });

  it("adds costs in the same currency", () => {
    expect(addUsage(usageOf(1, "0.5"), usageOf(1, "0.25")).cost?.amount).toBe("0.75");
    expect(addUsage(usageOf(1, "0.5"), usageOf(1)).cost?.amount).toBe("0.5");
    expect(addUsage(NO_USAGE, usageOf(1, "0.5")).cost?.amount).toBe("0.5");
    const euros = { ...usageOf(1), cost: { amount: "1", currency: "EUR" } };
    expect(addUsage(usageOf(1, "0.5"), euros)).toMatchObject({
      cost: { amount: "0.5", currency: "USD" },
      callsWithoutCost: 1,
    });
  });
});
