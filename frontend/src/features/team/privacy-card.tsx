import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { describeError } from "@/lib/api/problem";
import { toast } from "@/lib/toast";

import { downloadPersonalData } from "./download-personal-export";
import { RemoveAccountDialog } from "./remove-account-dialog";

/** The export of everything stored about the person, and the removal of the account. */
export function PrivacyCard() {
  const [isRemoving, setIsRemoving] = useState(false);
  const download = useMutation({
    mutationFn: () => downloadPersonalData(null),
    onError: (error) => toast.error(describeError(error).title),
  });
  return (
    <Card title="Your data">
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 p-4">
        <p className="min-w-0 flex-1 basis-60 text-ink-soft">
          Everything this server stores about you as a file, or your account removed for good. What
          you did stays, under a pseudonym.
        </p>
        <div className="flex flex-wrap gap-2">
          <Button busy={download.isPending} onClick={() => download.mutate()}>
            Export your data
          </Button>
          <Button variant="danger" onClick={() => setIsRemoving(true)}>
            Remove your account
          </Button>
        </div>
      </div>
      {isRemoving && <RemoveAccountDialog onClose={() => setIsRemoving(false)} />}
    </Card>
  );
}
