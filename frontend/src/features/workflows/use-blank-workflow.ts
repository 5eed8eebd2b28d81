import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { createWorkflow } from "./create-workflow";
import { BLANK_DOCUMENT } from "./blank-document";

/** Creates a blank workflow and opens it in the editor. */
export function useBlankWorkflow() {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: () => createWorkflow(BLANK_DOCUMENT),
    onSuccess: ({ id }) => navigate({ to: "/workflows/$workflowId", params: { workflowId: id } }),
  });
}
