const SAFE = new Set(["http:", "https:", "mailto:"]);

/** The address when following it can do no harm, else nothing; footnotes may point into the text. */
export function safeHref(address: string): string {
  if (address.startsWith("#")) return address;
  try {
    // Without a base: an agent's relative address means nothing in this product.
    return SAFE.has(new URL(address).protocol) ? address : "";
  } catch {
    return "";
  }
}

/** Where a link goes, as the reader should know it: `example.org`. */
export function linkHost(address: string): string {
  try {
    const url = new URL(address);
    return url.host || url.protocol.replace(":", "");
  } catch {
    return "";
  }
}
