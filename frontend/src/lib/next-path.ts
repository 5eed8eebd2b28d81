/** Returns the path to open after signing in; anything but a path of this site becomes `/`. */
export function nextPath(path: string | undefined, origin: string = location.origin): string {
  if (!path?.startsWith("/")) return "/";
  let url: URL;
  try {
    url = new URL(path, origin);
  } catch {
    return "/";
  }
  if (url.origin !== origin || url.pathname.startsWith("//")) return "/";
  return url.pathname === "/sign-in" ? "/" : url.pathname + url.search + url.hash;
}
