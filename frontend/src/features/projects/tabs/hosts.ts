/** Reads one host pattern per line; empty lines and repetitions are left out. */
export function parseHosts(text: string): string[] {
  const lines = text.split(/[\n,]/).map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ""))];
}

/** The messages of a rejected list, each with the host that it is about. */
export function describeHostProblems(
  hosts: readonly string[],
  fields: readonly { pointer: string; detail: string }[],
): string[] {
  return fields.map(({ pointer, detail }) => {
    const index = /\/allowedHosts\/(\d+)/.exec(pointer)?.[1];
    const host = index === undefined ? undefined : hosts[Number(index)];
    return host ? `${host}: ${detail}` : detail;
  });
}
