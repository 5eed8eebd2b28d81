import { useNavigate } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useEffect, useState } from "react";

import { Input } from "@/components/ui/input";

const PAUSE_MS = 250;

/** Searches as one types; the words stand in the URL. */
export function SearchBox({ q }: { q: string }) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState(q);
  const [known, setKnown] = useState(q);
  if (known !== q) {
    // The URL was changed from elsewhere: by Back, or by clearing the search.
    setKnown(q);
    if (typed.trim() !== q) setTyped(q);
  }

  useEffect(() => {
    const words = typed.trim();
    if (words === q) return;
    const timer = setTimeout(() => {
      void navigate({ to: "/workflows", search: words ? { q: words } : {}, replace: true });
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, q, navigate]);

  return (
    <div role="search" className="relative max-w-sm max-sm:max-w-none">
      <Search
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-ink-faint"
      />
      <Input
        type="search"
        aria-label="Search workflows"
        placeholder="Search by name or description"
        maxLength={200}
        className="pl-8"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </div>
  );
}
