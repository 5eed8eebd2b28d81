import type { Page } from "@playwright/test";

const ROUNDS = 5;

/** The worst of several times, in ms, of a fixed piece of work in this page: about 30 on an idle machine of 2025. */
export function measureWorkUnitMs(page: Page): Promise<number> {
  return page.evaluate((rounds) => {
    const times = Array.from({ length: rounds }, () => {
      const startedAt = performance.now();
      let sum = 0;
      for (let index = 0; index < 3_000_000; index += 1) sum = (sum * 31 + index) % 1_000_003;
      const rows = Array.from({ length: 20_000 }, (_, id) => ({
        id,
        text: `n${(id * 7919) % 20_011}`,
      }));
      rows.sort((left, right) => (left.text < right.text ? -1 : 1));
      return sum + JSON.stringify(rows).length > 0 ? performance.now() - startedAt : 0;
    });
    return Math.max(...times);
  }, ROUNDS);
}
