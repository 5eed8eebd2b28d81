import { useNavigate } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";

import { useShortcut } from "@/hooks/use-shortcut";

import { Input } from "./ui/input";

const PAUSE_MS = 250;

interface Props {
  /** The page with the list. */
  to: "/workflows" | "/projects";
  label: string;
  q: string;
}

/** Searches after a pause in typing; the query is kept in the URL. */
export function ListSearch({ to, label, q }: Props) {
  const navigate = useNavigate();
  const input = useRef<HTMLInputElement>(null);
  useShortcut("/", () => input.current?.focus(), label);
  const [text, setText] = useState(q);
  const [urlQuery, setUrlQuery] = useState(q);
  if (urlQuery !== q) {
    // The URL was changed by navigation, or by clearing the search.
    setUrlQuery(q);
    if (text.trim() !== q) setText(q);
  }

  useEffect(() => {
    const query = text.trim();
    if (query === q) return;
    const timer = setTimeout(() => {
      void navigate({ to, search: query ? { q: query } : {}, replace: true });
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, q, to, navigate]);

  return (
    <div role="search" className="relative max-w-sm max-sm:max-w-none">
      <Search
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-ink-faint"
      />
      <Input
        ref={input}
        type="search"
        aria-label={label}
        placeholder="Search by name or description"
        maxLength={200}
        className="pl-8"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </div>
  );
}
