import { Share2 } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import type { Run } from "@/lib/api/types";

import { ShareDialog } from "./share-dialog";

/** Opens the dialog with the links to the run. */
export function ShareButton({ run }: { run: Run }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button size="icon" onClick={() => setOpen(true)}>
        <Share2 aria-hidden />
        <span className="sr-only">Share</span>
      </Button>
      {isOpen && <ShareDialog run={run} onClose={() => setOpen(false)} />}
    </>
  );
}
