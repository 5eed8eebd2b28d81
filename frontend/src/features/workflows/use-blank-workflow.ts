import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { createWorkflow } from "./create-workflow";
import { STARTER } from "./starter";

/** Makes a small valid workflow and opens it in the editor. */
export function useBlankWorkflow() {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: () => createWorkflow(STARTER),
    onSuccess: ({ id }) => navigate({ to: "/workflows/$workflowId", params: { workflowId: id } }),
  });
}
