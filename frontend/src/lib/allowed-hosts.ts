/** Whether one of a project's patterns covers the host: `api.example.com`, `*.example.com`, with any port. */
export function isHostAllowed(host: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const name = pattern.replace(/:\d+$/, "").toLowerCase();
    return name.startsWith("*.") ? host.endsWith(name.slice(1)) : host === name;
  });
}
