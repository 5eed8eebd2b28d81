/** Returns 32 random hexadecimal digits. `crypto.randomUUID` is not available over plain HTTP. */
export function createRandomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
