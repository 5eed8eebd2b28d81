/** Where to go after signing in: a path of this very site, whatever the address says. */
export function nextPath(asked: string | undefined, origin: string = location.origin): string {
  if (!asked?.startsWith("/")) return "/";
  let url: URL;
  try {
    url = new URL(asked, origin);
  } catch {
    return "/";
  }
  if (url.origin !== origin || url.pathname.startsWith("//")) return "/";
  return url.pathname === "/sign-in" ? "/" : url.pathname + url.search + url.hash;
}
