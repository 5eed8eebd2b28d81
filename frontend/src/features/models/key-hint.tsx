/** The end of a key, to tell keys apart. */
export function KeyHint({ hint }: { hint: string }) {
  return (
    <>
      {" · "}
      <span className="sr-only">ends in </span>
      <span className="font-mono text-xs">
        <span aria-hidden>…</span>
        {hint}
      </span>
    </>
  );
}
