import { expect, it } from "vitest";

import { used } from "../testing/event-fixtures";
import { addDecimals, NO_USAGE, plus } from "./add-usage";

it("adds decimals without losing a digit", () => {
  expect(addDecimals("0.1", "0.2")).toBe("0.3");
  expect(addDecimals("9.99", "0.01")).toBe("10");
  expect(addDecimals("12345678901234567890.000000001", "1")).toBe("12345678901234567891.000000001");
  expect(addDecimals("1E-7", "0.0000002")).toBe("0.0000003");
  expect(addDecimals("2", "3")).toBe("5");
});

it("leaves unknown what is unknown in either", () => {
  const unknown = { ...used(1), completionTokens: null, totalTokens: null };
  expect(plus(used(2), unknown)).toMatchObject({
    promptTokens: 3,
    completionTokens: null,
    totalTokens: null,
  });
});

it("costs what both cost, if both are known and in the same money", () => {
  expect(plus(used(1, "0.5"), used(1, "0.25")).cost?.amount).toBe("0.75");
  expect(plus(used(1, "0.5"), used(1)).cost).toBeNull();
  expect(plus(NO_USAGE, used(1, "0.5")).cost?.amount).toBe("0.5");
  expect(plus(used(1, "0.5"), NO_USAGE).cost?.amount).toBe("0.5");
  const euros = { ...used(1), cost: { amount: "1", currency: "EUR" } };
  expect(plus(used(1, "0.5"), euros).cost).toBeNull();
});
