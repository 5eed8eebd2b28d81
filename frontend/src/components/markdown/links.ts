const SAFE = new Set(["http:", "https:", "mailto:"]);

/** Returns the URL if its scheme is safe, else an empty string; fragments are for footnotes. */
export function safeHref(url: string): string {
  if (url.startsWith("#")) return url;
  try {
    // No base URL: relative links in agent output do not refer to pages of this product.
    return SAFE.has(new URL(url).protocol) ? url : "";
  } catch {
    return "";
  }
}

/** Returns the host of a link for display: `example.org`. */
export function linkHost(href: string): string {
  try {
    const url = new URL(href);
    return url.host || url.protocol.replace(":", "");
  } catch {
    return "";
  }
}
